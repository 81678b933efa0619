package dispatch_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/registry"
	"github.com/stretchr/testify/require"
)

// The signatures of go-redis' push package, but for the reader's type.
var (
	_ dispatch.NotificationProcessor = dispatch.NewVoidProcessor()
	_ dispatch.NotificationProcessor = dispatch.NewProcessor()

	_ func() *dispatch.Registry = dispatch.NewRegistry

	_ func(dispatch.ProcessorOperation, string, string, error) *dispatch.HandlerError                           = dispatch.NewHandlerError
	_ func(dispatch.ProcessorType, dispatch.ProcessorOperation, string, string, error) *dispatch.ProcessorError = dispatch.NewProcessorError

	_, _, _, _ func(string) error = dispatch.ErrHandlerExists, dispatch.ErrProtectedHandler,
		dispatch.ErrVoidProcessorRegister, dispatch.ErrVoidProcessorUnregister
	_, _, _, _ func(error) bool = dispatch.IsHandlerNilError, dispatch.IsHandlerExistsError,
		dispatch.IsProtectedHandlerError, dispatch.IsVoidProcessorError

	_ = dispatch.HandlerError{Operation: dispatch.ProcessorOperationRegister, PushNotificationName: "", Reason: "", Err: nil}
	_ = dispatch.ProcessorError{
		ProcessorType: dispatch.ProcessorTypeCustom, Operation: dispatch.ProcessorOperationProcess,
		PushNotificationName: "", Reason: "", Err: nil,
	}
	_ = dispatch.NotificationHandlerContext{Client: 1, ConnPool: 1, PubSub: 1, Conn: 1, IsBlocking: true}
)

func TestConstantsHaveTheValuesOfGoRedis(t *testing.T) {
	for got, want := range map[string]string{
		dispatch.ReasonHandlerNil:                "handler cannot be nil",
		dispatch.ReasonHandlerExists:             "cannot overwrite existing handler",
		dispatch.ReasonHandlerProtected:          "handler is protected",
		dispatch.ReasonPushNotificationsDisabled: "push notifications are disabled",

		string(dispatch.ProcessorTypeProcessor):     "processor",
		string(dispatch.ProcessorTypeVoidProcessor): "void_processor",
		string(dispatch.ProcessorTypeCustom):        "custom",

		string(dispatch.ProcessorOperationProcess):    "process",
		string(dispatch.ProcessorOperationRegister):   "register",
		string(dispatch.ProcessorOperationUnregister): "unregister",
		string(dispatch.ProcessorOperationUnknown):    "unknown",

		dispatch.ErrHandlerNil.Error(): "handler cannot be nil",
	} {
		require.Equal(t, want, got)
	}
}

func TestErrorTextsAreThoseOfGoRedis(t *testing.T) {
	const (
		register   = dispatch.ProcessorOperationRegister
		unregister = dispatch.ProcessorOperationUnregister
		process    = dispatch.ProcessorOperationProcess
		unknown    = dispatch.ProcessorOperationUnknown
		processor  = dispatch.ProcessorTypeProcessor
		void       = dispatch.ProcessorTypeVoidProcessor
		custom     = dispatch.ProcessorTypeCustom
	)
	for _, c := range []struct {
		err  error
		want string
	}{
		{dispatch.NewHandlerError(register, "MOVING", "why", nil), "handler register failed for 'MOVING': why"},
		{dispatch.NewHandlerError(unregister, "", "why", nil), "handler unregister failed for '': why"},
		{dispatch.NewHandlerError(register, "MOVING", "why", io.EOF), "handler register failed for 'MOVING': why (EOF)"},
		{dispatch.NewHandlerError(unknown, "a'b", "", io.EOF), "handler unknown failed for 'a'b':  (EOF)"},
		{dispatch.NewHandlerError("", "100%d", "50%s", nil), "handler  failed for '100%d': 50%s"},
		{dispatch.ErrHandlerExists("MOVING"), "handler register failed for 'MOVING': cannot overwrite existing handler"},
		{dispatch.ErrProtectedHandler("MOVING"), "handler unregister failed for 'MOVING': handler is protected"},

		{dispatch.NewProcessorError(processor, process, "MOVING", "why", nil), "processor process failed for 'MOVING': why"},
		{dispatch.NewProcessorError(custom, unknown, "", "why", nil), "custom unknown failed: why"},
		{dispatch.NewProcessorError(void, register, "MOVING", "why", io.EOF), "void_processor register failed for 'MOVING': why (EOF)"},
		{dispatch.NewProcessorError(void, register, "", "50%s", io.EOF), "void_processor register failed: 50%s (EOF)"},
		{dispatch.ErrVoidProcessorRegister("MOVING"), "void_processor register failed for 'MOVING': push notifications are disabled"},
		{dispatch.ErrVoidProcessorRegister(""), "void_processor register failed: push notifications are disabled"},
		{dispatch.ErrVoidProcessorUnregister("MOVING"), "void_processor unregister failed for 'MOVING': push notifications are disabled"},

		{&dispatch.PanicError{Value: "boom"}, "dispatch: handler panicked: boom"},
		{&dispatch.PanicError{Value: io.EOF, Stack: []byte("a stack")}, "dispatch: handler panicked: EOF"},
	} {
		require.EqualError(t, c.err, c.want)
	}
}

func TestErrorsKeepTheirParts(t *testing.T) {
	h := dispatch.NewHandlerError(dispatch.ProcessorOperationRegister, "MOVING", "why", io.EOF)
	require.Equal(t, &dispatch.HandlerError{
		Operation: dispatch.ProcessorOperationRegister, PushNotificationName: "MOVING", Reason: "why", Err: io.EOF,
	}, h)
	p := dispatch.NewProcessorError(dispatch.ProcessorTypeCustom, dispatch.ProcessorOperationProcess, "MOVING", "why", io.EOF)
	require.Equal(t, &dispatch.ProcessorError{
		ProcessorType: dispatch.ProcessorTypeCustom, Operation: dispatch.ProcessorOperationProcess,
		PushNotificationName: "MOVING", Reason: "why", Err: io.EOF,
	}, p)
}

func TestErrorsUnwrapToTheirCause(t *testing.T) {
	for _, err := range []error{
		dispatch.NewHandlerError(dispatch.ProcessorOperationRegister, "MOVING", "why", io.EOF),
		dispatch.NewProcessorError(dispatch.ProcessorTypeCustom, dispatch.ProcessorOperationProcess, "", "why", io.EOF),
		&dispatch.PanicError{Value: io.EOF},
		&dispatch.PanicError{Value: fmt.Errorf("wrapped: %w", io.EOF)},
	} {
		require.ErrorIs(t, err, io.EOF)
		require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
	}
	for _, err := range []error{
		dispatch.NewHandlerError(dispatch.ProcessorOperationRegister, "MOVING", "why", nil),
		dispatch.NewProcessorError(dispatch.ProcessorTypeCustom, dispatch.ProcessorOperationProcess, "", "why", nil),
		&dispatch.PanicError{Value: "EOF"},
		&dispatch.PanicError{},
	} {
		require.NoError(t, errors.Unwrap(err))
	}
}

func TestPredicatesKnowTheirErrorsAndNoOthers(t *testing.T) {
	const (
		register   = dispatch.ProcessorOperationRegister
		unregister = dispatch.ProcessorOperationUnregister
		void       = dispatch.ProcessorTypeVoidProcessor
		processor  = dispatch.ProcessorTypeProcessor
		disabled   = dispatch.ReasonPushNotificationsDisabled
	)
	type is struct{ handlerNil, exists, protected, void bool }
	cases := []struct {
		name string
		err  error
		is   is
	}{
		{"ErrHandlerNil", dispatch.ErrHandlerNil, is{handlerNil: true}},
		{"registry's", registry.ErrHandlerNil, is{handlerNil: true}},
		{"ErrHandlerExists", dispatch.ErrHandlerExists("a"), is{exists: true}},
		{"registry's exists", registry.ErrHandlerExists(""), is{exists: true}},
		{"ErrProtectedHandler", dispatch.ErrProtectedHandler("a"), is{protected: true}},
		{"registry's protected", registry.ErrProtectedHandler(""), is{protected: true}},
		{"ErrVoidProcessorRegister", dispatch.ErrVoidProcessorRegister("a"), is{void: true}},
		{"ErrVoidProcessorUnregister", dispatch.ErrVoidProcessorUnregister(""), is{void: true}},
		{"nil as a cause", dispatch.NewHandlerError(register, "a", dispatch.ReasonHandlerNil, dispatch.ErrHandlerNil), is{handlerNil: true}},
		{"exists with a cause", dispatch.NewHandlerError(register, "a", dispatch.ReasonHandlerExists, io.EOF), is{exists: true}},
		{"two at once", dispatch.NewHandlerError(register, "a", dispatch.ReasonHandlerExists, dispatch.ErrHandlerNil), is{handlerNil: true, exists: true}},
		{"void inside a handler error", dispatch.NewHandlerError(register, "a", "why", dispatch.ErrVoidProcessorRegister("a")), is{void: true}},

		{"nil", nil, is{}},
		{"foreign", io.EOF, is{}},
		{"the text alone", errors.New(dispatch.ReasonHandlerNil), is{}},
		{"the reason without a cause", dispatch.NewHandlerError(register, "a", dispatch.ReasonHandlerNil, nil), is{}},
		{"exists when unregistering", dispatch.NewHandlerError(unregister, "a", dispatch.ReasonHandlerExists, nil), is{}},
		{"protected when registering", dispatch.NewHandlerError(register, "a", dispatch.ReasonHandlerProtected, nil), is{}},
		{"another reason", dispatch.NewHandlerError(register, "a", "why", nil), is{}},
		{"a processor's with a handler's reason", dispatch.NewProcessorError(void, register, "a", dispatch.ReasonHandlerExists, nil), is{}},
		{"a handler's with a processor's reason", dispatch.NewHandlerError(register, "a", disabled, nil), is{}},
		{"another processor", dispatch.NewProcessorError(processor, register, "a", disabled, nil), is{}},
		{"another operation of it", dispatch.NewProcessorError(void, dispatch.ProcessorOperationProcess, "a", disabled, nil), is{void: true}},
		{"a panic", &dispatch.PanicError{Value: "boom"}, is{}},
		{"a panic with one", &dispatch.PanicError{Value: dispatch.ErrHandlerExists("a")}, is{exists: true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			forms := []error{c.err}
			if c.err != nil {
				forms = append(forms,
					fmt.Errorf("wrapped: %w", c.err),
					fmt.Errorf("twice: %w", fmt.Errorf("wrapped: %w", c.err)),
					errors.Join(io.EOF, c.err))
			}
			for _, err := range forms {
				require.Equal(t, c.is, is{
					dispatch.IsHandlerNilError(err),
					dispatch.IsHandlerExistsError(err),
					dispatch.IsProtectedHandlerError(err),
					dispatch.IsVoidProcessorError(err),
				})
			}
		})
	}
}

func TestWrappingWithoutUnwrapHidesTheError(t *testing.T) {
	require.False(t, dispatch.IsHandlerNilError(fmt.Errorf("opaque: %v", dispatch.ErrHandlerNil)))
	require.False(t, dispatch.IsHandlerExistsError(fmt.Errorf("opaque: %v", dispatch.ErrHandlerExists("a"))))
	require.False(t, dispatch.IsProtectedHandlerError(fmt.Errorf("opaque: %v", dispatch.ErrProtectedHandler("a"))))
	require.False(t, dispatch.IsVoidProcessorError(fmt.Errorf("opaque: %v", dispatch.ErrVoidProcessorRegister("a"))))
}

// One error is one error wherever it is named.
func TestErrorsAreThoseOfTheRegistry(t *testing.T) {
	require.Same(t, registry.ErrHandlerNil, dispatch.ErrHandlerNil)
	var err error = dispatch.ErrHandlerExists("a")
	var fromRegistry *registry.HandlerError
	require.ErrorAs(t, err, &fromRegistry)
	require.Equal(t, registry.ErrHandlerExists("a"), err)
	require.Equal(t, registry.ErrProtectedHandler("a"), dispatch.ErrProtectedHandler("a"))
}

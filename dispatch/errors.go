package dispatch

import (
	"errors"
	"fmt"

	"github.com/seed79615202/respush/registry"
)

// The values of the Reason field of the errors of this package.
const (
	ReasonHandlerNil                = registry.ReasonHandlerNil
	ReasonHandlerExists             = registry.ReasonHandlerExists
	ReasonHandlerProtected          = registry.ReasonHandlerProtected
	ReasonPushNotificationsDisabled = "push notifications are disabled"
)

// ProcessorOperation names the operation that failed.
type ProcessorOperation = registry.ProcessorOperation

// The operations that errors name.
const (
	ProcessorOperationProcess    = registry.ProcessorOperationProcess
	ProcessorOperationRegister   = registry.ProcessorOperationRegister
	ProcessorOperationUnregister = registry.ProcessorOperationUnregister
	ProcessorOperationUnknown    = registry.ProcessorOperationUnknown
)

// ProcessorType is the kind of processor that an error comes from.
type ProcessorType string

// The kinds of processors.
const (
	ProcessorTypeProcessor     ProcessorType = "processor"
	ProcessorTypeVoidProcessor ProcessorType = "void_processor"
	ProcessorTypeCustom        ProcessorType = "custom"
)

// ErrHandlerNil is the error for registering a nil handler.
var ErrHandlerNil = registry.ErrHandlerNil

// HandlerError reports that a handler could not be registered or unregistered.
// It is the type of package registry.
type HandlerError = registry.HandlerError

// NewHandlerError returns a HandlerError with the given fields. err may be nil.
func NewHandlerError(operation ProcessorOperation, pushNotificationName, reason string, err error) *HandlerError {
	return registry.NewHandlerError(operation, pushNotificationName, reason, err)
}

// ErrHandlerExists returns the error for registering a name that already has a
// handler.
func ErrHandlerExists(pushNotificationName string) error {
	return registry.ErrHandlerExists(pushNotificationName)
}

// ErrProtectedHandler returns the error for unregistering a protected name.
func ErrProtectedHandler(pushNotificationName string) error {
	return registry.ErrProtectedHandler(pushNotificationName)
}

// IsHandlerNilError reports whether err is, or wraps, ErrHandlerNil.
func IsHandlerNilError(err error) bool { return registry.IsHandlerNilError(err) }

// IsHandlerExistsError reports whether err is, or wraps, an error that
// ErrHandlerExists returned.
func IsHandlerExistsError(err error) bool { return registry.IsHandlerExistsError(err) }

// IsProtectedHandlerError reports whether err is, or wraps, an error that
// ErrProtectedHandler returned.
func IsProtectedHandlerError(err error) bool { return registry.IsProtectedHandlerError(err) }

// ProcessorError reports an operation that a processor refuses.
//
// Invariant: PushNotificationName and Err may be empty, the other fields are
// set.
type ProcessorError struct {
	ProcessorType        ProcessorType      // the kind of processor
	Operation            ProcessorOperation // what was refused
	PushNotificationName string             // the name it was about, may be empty
	Reason               string             // why, in words
	Err                  error              // the underlying error, may be nil
}

// NewProcessorError returns a ProcessorError with the given fields. The name
// may be empty, and err may be nil.
func NewProcessorError(processorType ProcessorType, operation ProcessorOperation, pushNotificationName, reason string, err error) *ProcessorError {
	return &ProcessorError{
		ProcessorType:        processorType,
		Operation:            operation,
		PushNotificationName: pushNotificationName,
		Reason:               reason,
		Err:                  err,
	}
}

// Error returns the processor, the operation, the name if it is set, and the
// reason, in the same words as go-redis.
func (e *ProcessorError) Error() string {
	text := fmt.Sprintf("%s %s failed", e.ProcessorType, e.Operation)
	if e.PushNotificationName != "" {
		text += fmt.Sprintf(" for '%s'", e.PushNotificationName)
	}
	text += ": " + e.Reason
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text
}

// Unwrap returns Err.
func (e *ProcessorError) Unwrap() error { return e.Err }

// ErrVoidProcessorRegister returns the error for registering a handler with a
// VoidProcessor.
func ErrVoidProcessorRegister(pushNotificationName string) error {
	return NewProcessorError(ProcessorTypeVoidProcessor, ProcessorOperationRegister,
		pushNotificationName, ReasonPushNotificationsDisabled, nil)
}

// ErrVoidProcessorUnregister returns the error for unregistering a handler from
// a VoidProcessor.
func ErrVoidProcessorUnregister(pushNotificationName string) error {
	return NewProcessorError(ProcessorTypeVoidProcessor, ProcessorOperationUnregister,
		pushNotificationName, ReasonPushNotificationsDisabled, nil)
}

// IsVoidProcessorError reports whether err is, or wraps, an error that a
// VoidProcessor returned for registering or unregistering.
func IsVoidProcessorError(err error) bool {
	var e *ProcessorError
	return errors.As(err, &e) && e.ProcessorType == ProcessorTypeVoidProcessor &&
		e.Reason == ReasonPushNotificationsDisabled
}

// PanicError is the error that reports the panic of a handler. The error
// handler receives it and owns it.
type PanicError struct {
	Value any    // what the handler panicked with
	Stack []byte // the stack of the handler's goroutine, as debug.Stack formats it
}

// Error returns the value as text. It does not include the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("dispatch: handler panicked: %v", e.Value) }

// Unwrap returns the value if it is an error, and nil otherwise.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

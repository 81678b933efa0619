package dispatch

import (
	"errors"
	"fmt"

	"github.com/seed79615202/respush/registry"
)

// The reasons that errors of this package give.
const (
	ReasonHandlerNil                = registry.ReasonHandlerNil
	ReasonHandlerExists             = registry.ReasonHandlerExists
	ReasonHandlerProtected          = registry.ReasonHandlerProtected
	ReasonPushNotificationsDisabled = "push notifications are disabled"
)

// ProcessorOperation is what was being done when an error came up.
type ProcessorOperation = registry.ProcessorOperation

// The operations.
const (
	ProcessorOperationProcess    = registry.ProcessorOperationProcess
	ProcessorOperationRegister   = registry.ProcessorOperationRegister
	ProcessorOperationUnregister = registry.ProcessorOperationUnregister
	ProcessorOperationUnknown    = registry.ProcessorOperationUnknown
)

// ProcessorType is the kind of processor an error comes from.
type ProcessorType string

// The kinds of processors.
const (
	ProcessorTypeProcessor     ProcessorType = "processor"
	ProcessorTypeVoidProcessor ProcessorType = "void_processor"
	ProcessorTypeCustom        ProcessorType = "custom"
)

// ErrHandlerNil is returned for a handler that is nil.
var ErrHandlerNil = registry.ErrHandlerNil

// HandlerError reports that a handler could not be registered or unregistered.
type HandlerError = registry.HandlerError

// NewHandlerError returns a HandlerError of these parts; err may be nil.
func NewHandlerError(operation ProcessorOperation, pushNotificationName, reason string, err error) *HandlerError {
	return registry.NewHandlerError(operation, pushNotificationName, reason, err)
}

// ErrHandlerExists returns the error for registering a name that is taken.
func ErrHandlerExists(pushNotificationName string) error {
	return registry.ErrHandlerExists(pushNotificationName)
}

// ErrProtectedHandler returns the error for unregistering a protected name.
func ErrProtectedHandler(pushNotificationName string) error {
	return registry.ErrProtectedHandler(pushNotificationName)
}

// IsHandlerNilError reports whether err is, or wraps, ErrHandlerNil.
func IsHandlerNilError(err error) bool { return registry.IsHandlerNilError(err) }

// IsHandlerExistsError reports whether err is, or wraps, what ErrHandlerExists returns.
func IsHandlerExistsError(err error) bool { return registry.IsHandlerExistsError(err) }

// IsProtectedHandlerError reports whether err is, or wraps, what ErrProtectedHandler returns.
func IsProtectedHandlerError(err error) bool { return registry.IsProtectedHandlerError(err) }

// ProcessorError reports something that a processor does not do.
type ProcessorError struct {
	ProcessorType        ProcessorType
	Operation            ProcessorOperation
	PushNotificationName string // may be empty
	Reason               string
	Err                  error // may be nil
}

// NewProcessorError returns a ProcessorError of these parts; the name may be
// empty and err nil.
func NewProcessorError(processorType ProcessorType, operation ProcessorOperation, pushNotificationName, reason string, err error) *ProcessorError {
	return &ProcessorError{
		ProcessorType:        processorType,
		Operation:            operation,
		PushNotificationName: pushNotificationName,
		Reason:               reason,
		Err:                  err,
	}
}

// Error tells the processor, the operation, the name if there is one, and the
// reason, in go-redis' words.
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

// ErrVoidProcessorRegister returns the error for registering with a VoidProcessor.
func ErrVoidProcessorRegister(pushNotificationName string) error {
	return NewProcessorError(ProcessorTypeVoidProcessor, ProcessorOperationRegister,
		pushNotificationName, ReasonPushNotificationsDisabled, nil)
}

// ErrVoidProcessorUnregister returns the error for unregistering from a VoidProcessor.
func ErrVoidProcessorUnregister(pushNotificationName string) error {
	return NewProcessorError(ProcessorTypeVoidProcessor, ProcessorOperationUnregister,
		pushNotificationName, ReasonPushNotificationsDisabled, nil)
}

// IsVoidProcessorError reports whether err is, or wraps, what a VoidProcessor returns.
func IsVoidProcessorError(err error) bool {
	var e *ProcessorError
	return errors.As(err, &e) && e.ProcessorType == ProcessorTypeVoidProcessor &&
		e.Reason == ReasonPushNotificationsDisabled
}

// PanicError is what a handler's panic becomes.
type PanicError struct {
	Value any    // what the handler panicked with
	Stack []byte // of the handler's goroutine at that moment, as debug.Stack gives it
}

// Error tells the value; the stack is for who wants it.
func (e *PanicError) Error() string { return fmt.Sprintf("dispatch: handler panicked: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

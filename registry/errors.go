package registry

import (
	"errors"
	"fmt"
)

// The values of the Reason field of a [HandlerError].
const (
	ReasonHandlerNil       = "handler cannot be nil"
	ReasonHandlerExists    = "cannot overwrite existing handler"
	ReasonHandlerProtected = "handler is protected"
)

// ProcessorOperation names the operation that failed.
type ProcessorOperation string

// The operations that errors name.
const (
	ProcessorOperationProcess    ProcessorOperation = "process"
	ProcessorOperationRegister   ProcessorOperation = "register"
	ProcessorOperationUnregister ProcessorOperation = "unregister"
	ProcessorOperationUnknown    ProcessorOperation = "unknown"
)

// ErrHandlerNil is the error for registering a nil handler.
var ErrHandlerNil = errors.New(ReasonHandlerNil)

// HandlerError reports that a handler could not be registered or unregistered.
//
// Invariant: only Err, the underlying error, may be empty.
type HandlerError struct {
	Operation            ProcessorOperation // what was refused
	PushNotificationName string             // the name it was about
	Reason               string             // why, in words
	Err                  error              // the underlying error, may be nil
}

// NewHandlerError returns a HandlerError with the given fields. err may be nil.
func NewHandlerError(operation ProcessorOperation, pushNotificationName, reason string, err error) *HandlerError {
	return &HandlerError{
		Operation:            operation,
		PushNotificationName: pushNotificationName,
		Reason:               reason,
		Err:                  err,
	}
}

// Error returns the operation, the name and the reason in the same words as
// go-redis.
func (e *HandlerError) Error() string {
	text := fmt.Sprintf("handler %s failed for '%s': %s", e.Operation, e.PushNotificationName, e.Reason)
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text
}

// Unwrap returns Err.
func (e *HandlerError) Unwrap() error { return e.Err }

// ErrHandlerExists returns the error for registering a name that already has a
// handler.
func ErrHandlerExists(pushNotificationName string) error {
	return NewHandlerError(ProcessorOperationRegister, pushNotificationName, ReasonHandlerExists, nil)
}

// ErrProtectedHandler returns the error for unregistering a protected name.
func ErrProtectedHandler(pushNotificationName string) error {
	return NewHandlerError(ProcessorOperationUnregister, pushNotificationName, ReasonHandlerProtected, nil)
}

// IsHandlerNilError reports whether err is, or wraps, ErrHandlerNil.
func IsHandlerNilError(err error) bool { return errors.Is(err, ErrHandlerNil) }

// IsHandlerExistsError reports whether err is, or wraps, an error that
// ErrHandlerExists returned.
func IsHandlerExistsError(err error) bool {
	return isHandlerError(err, ProcessorOperationRegister, ReasonHandlerExists)
}

// IsProtectedHandlerError reports whether err is, or wraps, an error that
// ErrProtectedHandler returned.
func IsProtectedHandlerError(err error) bool {
	return isHandlerError(err, ProcessorOperationUnregister, ReasonHandlerProtected)
}

func isHandlerError(err error, operation ProcessorOperation, reason string) bool {
	var e *HandlerError
	return errors.As(err, &e) && e.Operation == operation && e.Reason == reason
}

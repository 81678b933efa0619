// Package record writes the bytes that a server sends to a file, for respush
// decode.
package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// An Error is a failure to write a recording.
type Error struct {
	path string
	err  error
}

// Error names the file and describes the failure.
func (e *Error) Error() string { return fmt.Sprintf("cannot record to %s: %v", e.path, e.err) }

// Unwrap returns the error of the file.
func (e *Error) Unwrap() error { return e.err }

// A File is a recording. Its errors are of type *Error.
type File struct{ file *os.File }

// Create begins a recording. It truncates the file.
func Create(path string) (*File, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, failed(path, err)
	}
	return &File{file}, nil
}

// Write writes p to the file.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	if err != nil {
		return n, failed(f.file.Name(), err)
	}
	return n, nil
}

// Close ends the recording.
func (f *File) Close() error {
	if err := f.file.Close(); err != nil {
		return failed(f.file.Name(), err)
	}
	return nil
}

// failed returns err as an *Error that names the file once.
func failed(path string, err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		err = of.Err
	}
	return &Error{path, err}
}

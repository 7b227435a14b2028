//go:build !linux

package fsync

import (
	"errors"
	"os"
)

// Whole says that All works here.
const Whole = false

// All is not to be had; see Whole.
func All(string) error { return errors.ErrUnsupported }

// Data has a file on disk.
func Data(f *os.File) error { return f.Sync() }

//go:build !linux

package blob

import (
	"errors"
	"os"
)

const logged = false

func syncAll(string) error { return errors.ErrUnsupported }

func syncData(f *os.File) error { return f.Sync() }

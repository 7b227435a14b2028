//go:build !linux

package blob

import "errors"

// syncFS is Linux's alone.
func syncFS(string) error { return errors.ErrUnsupported }

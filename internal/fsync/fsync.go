// Package fsync has what was written on disk. It hides which call of the system
// does that at the least cost.
package fsync

import (
	"errors"
	"os"
)

// Dir has the names in a folder on disk: a file that was made, renamed or
// removed there.
func Dir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

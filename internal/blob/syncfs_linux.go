package blob

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFS makes durable all that was written to dir's file system. Since Linux
// 5.8 it tells of failed writes as fsync does (syncfs(2)).
func syncFS(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}

package blob

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// logged says that small files are kept by a log: it needs to sync a whole
// file system in one go.
const logged = true

// syncAll has everything on disk that was written to the file system of dir
// (syncfs(2), which tells of failures since Linux 5.8).
func syncAll(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}

// syncData has a file's bytes and its length on disk, without the time of the
// last change.
func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

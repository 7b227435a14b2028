//go:build !linux

package journal

import "os"

// logFile is a file; see sync_linux.go.
type logFile struct{ *os.File }

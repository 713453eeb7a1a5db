// Package private keeps files that other users of the machine must not read or
// redirect: files of mode 0600 that are never reached through a symbolic link.
package private

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// mode lets the owner of a file read and write it.
const mode = 0o600

// Ensure creates an empty file at path, or protects the file that is there like [Protect].
func Ensure(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode) // O_EXCL follows no link
	if errors.Is(err, fs.ErrExist) {
		return Protect(path)
	} else if err != nil {
		return err
	}
	return f.Close()
}

// Protect brings the file at path to mode 0600. It refuses what is no regular file. The error is
// [fs.ErrNotExist] if there is nothing.
func Protect(path string) error {
	before, err := regular(path)
	if err != nil || before.Mode().Perm() == mode {
		return err
	}
	f, err := open(path, before)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chmod(mode)
}

// Read returns the content of the file at path, of at most most bytes, and brings the file to mode
// 0600. It refuses what is no regular file. The error is [fs.ErrNotExist] if there is nothing.
func Read(path string, most int64) ([]byte, error) {
	before, err := regular(path)
	if err != nil {
		return nil, err
	}
	f, err := open(path, before)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if before.Mode().Perm() != mode {
		if err := f.Chmod(mode); err != nil {
			return nil, err
		}
	}
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return content, err
}

// open opens the file at path, which must still be the one that before describes.
func open(path string, before fs.FileInfo) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = fmt.Errorf("%s was replaced while it was opened", path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Write writes a file of mode 0600, in place of the regular file that
// may be there. Readers find the whole old content or the whole new one.
func Write(path string, content []byte) error {
	if _, err := regular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".sandbox-*") // of mode 0600, and new
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once the file has been renamed
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path) // replaces a link, and does not follow it
}

// MkdirAll creates the directory and its parents where they are
// missing, for their owner alone. An existing directory stays as it is.
// It refuses a symbolic link at path, though not among the parents.
func MkdirAll(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		return linked(path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.MkdirAll(path, 0o700)
}

// regular describes the file at path, and refuses what is no regular file.
func regular(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, linked(path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file: move it away", path)
	}
	return info, nil
}

// linked says that there is a symbolic link where the sandbox writes.
func linked(path string) error {
	return fmt.Errorf("%s is a symbolic link: the sandbox does not write through links, move it away", path)
}

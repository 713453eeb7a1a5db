package objects

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/amplify-go/amplify/sandbox/internal/private"
)

// directory keeps blobs in files.
type directory struct{ root *os.Root }

func openDirectory(path string) (*directory, error) {
	if err := private.MkdirAll(path); err != nil {
		return nil, fmt.Errorf("sandbox: the directory for objects: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("sandbox: the directory for objects: %w", err)
	}
	return &directory{root}, nil
}

// syncedFile syncs the file, and that it exists, when it is closed.
type syncedFile struct {
	*os.File
	root *os.Root
}

func (f *syncedFile) Close() error {
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.File.Close())
	}
	if err := f.File.Close(); err != nil {
		return err
	}
	dir, err := f.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (d *directory) create(name string) (io.WriteCloser, error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return &syncedFile{f, d.root}, err
}

func (d *directory) open(name string) (blobReader, error) { return d.root.Open(name) }

func (d *directory) remove(name string) error {
	if err := d.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *directory) names() ([]string, error) {
	dir, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	return names, errors.Join(err, dir.Close())
}

func (d *directory) close() error { return d.root.Close() }

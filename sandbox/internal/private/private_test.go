package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// isPrivate fails the test unless path is a regular file of mode 0600 with that content.
func isPrivate(t *testing.T, path, content string) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("the mode of %s is %v", path, info.Mode())
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Errorf("%s contains %q, %v; want %q", path, got, err, content)
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestEnsureAndProtect(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Protect(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if err := Ensure(path); err != nil {
		t.Fatal(err)
	}
	isPrivate(t, path, "")
	for _, mode := range []os.FileMode{0o644, 0o666, 0o400, 0o755, 0o600} {
		write(t, path, "kept", mode)
		if err := Ensure(path); err != nil {
			t.Errorf("%v: %v", mode, err)
		}
		isPrivate(t, path, "kept")
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if _, err := Read(path, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	for _, mode := range []os.FileMode{0o644, 0o666, 0o400, 0o600} {
		write(t, path, "kept", mode)
		if got, err := Read(path, 4); err != nil || string(got) != "kept" {
			t.Errorf("%v: %q, %v", mode, got, err)
		}
		isPrivate(t, path, "kept")
	}
	if _, err := Read(path, 3); err == nil || !strings.Contains(err.Error(), "more than 3 bytes") {
		t.Errorf("a large file: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{"symbolic link": link, "not a regular file": dir} {
		if _, err := Read(path, 10); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, content := range []string{"first", "", "second"} {
		if err := Write(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		isPrivate(t, path, content)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
}

// TestLinks lets all functions meet symbolic links: to a file, to nothing, to a directory.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	write(t, precious, "precious", 0o644)
	for name, to := range map[string]string{"file": precious, "nothing": filepath.Join(dir, "new"), "directory": t.TempDir()} {
		link := filepath.Join(dir, "link to "+name)
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"Ensure": Ensure(link), "Protect": Protect(link), "Write": Write(link, []byte("x")), "MkdirAll": MkdirAll(link),
		} {
			if err == nil || !strings.Contains(err.Error(), "symbolic link") || !strings.Contains(err.Error(), link) {
				t.Errorf("%s at a link to a %s: %v", what, name, err)
			}
		}
	}
	if got, err := os.ReadFile(precious); err != nil || string(got) != "precious" {
		t.Errorf("the file behind the link contains %q, %v", got, err)
	}
	if info, err := os.Stat(precious); err != nil || info.Mode() != 0o644 {
		t.Errorf("the file behind the link is %v, %v", info.Mode(), err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to nothing was followed: %v", err)
	}
}

func TestNoRegularFile(t *testing.T) {
	dir := t.TempDir()
	for what, err := range map[string]error{"Ensure": Ensure(dir), "Protect": Protect(dir), "Write": Write(dir, nil)} {
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s at a directory: %v", what, err)
		}
	}
}

func TestMkdirAll(t *testing.T) {
	top := t.TempDir()
	path := filepath.Join(top, "a", "b")
	for range 2 {
		if err := MkdirAll(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, made := range []string{path, filepath.Dir(path)} {
		if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", made, info.Mode(), err)
		}
	}
}

package sandbox_test

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
)

// allPrivate fails the test unless every file in dir is of mode 0600 and dir of mode 0700.
func allPrivate(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		} else {
			names = append(names, entry.Name())
		}
		if info.Mode().Perm() != want {
			t.Errorf("the mode of %s is %v, want %v", path, info.Mode(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestDataFiles: new data files are closed to other users, and so become files that were open to
// them.
func TestDataFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "parent", "data")
	s := start(t, sandbox.Config{DataDir: dir, TLSAddr: "127.0.0.1:0"})
	if names := allPrivate(t, filepath.Dir(dir)); len(names) < 2 { // the database and its log
		t.Errorf("files = %v", names)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	// A kill leaves the log behind, and an unpacked backup any mode.
	for _, name := range []string{"sandbox.db", "sandbox.db-wal", "sandbox.db-shm"} {
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if err := os.Chmod(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	start(t, sandbox.Config{DataDir: dir})
	allPrivate(t, dir)
}

// TestDataFileLinks: the database and its companions must not lead elsewhere.
func TestDataFileLinks(t *testing.T) {
	for _, name := range []string{"sandbox.db", "sandbox.db-wal", "sandbox.db-shm", "sandbox.db-journal"} {
		dir, target := t.TempDir(), filepath.Join(t.TempDir(), "target")
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		for _, there := range []bool{false, true} {
			if there {
				if err := os.WriteFile(target, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := sandbox.Start(t.Context(), sandbox.Config{DataDir: dir, Logger: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), name+" is a symbolic link") {
				t.Errorf("%s: %v", name, err)
			}
			if info, err := os.Stat(target); (err == nil) != there || there && info.Size() != 0 {
				t.Errorf("%s: written through the link", name)
			}
		}
	}
}

func TestNodeFiles(t *testing.T) {
	s := start(t, sandbox.Config{TLSAddr: "127.0.0.1:0"})
	dir := filepath.Join(t.TempDir(), "node")
	for range 2 { // a later start replaces what is there
		if _, err := s.WriteNodeSupport(dir); err != nil {
			t.Fatal(err)
		}
		if names := allPrivate(t, dir); len(names) != 3 {
			t.Errorf("files = %v", names)
		}
		for _, name := range []string{"ca.pem", "preload.cjs", "sandbox.json"} {
			if err := os.Chmod(filepath.Join(dir, name), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"ca.pem", "preload.cjs", "sandbox.json", "."} {
		dir, target := filepath.Join(t.TempDir(), "node"), filepath.Join(t.TempDir(), "target")
		link := filepath.Join(dir, name)
		if name != "." {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if err := os.Mkdir(target, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteNodeSupport(dir); err == nil || !strings.Contains(err.Error(), "is a symbolic link") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "." {
			if left, err := os.ReadDir(target); err != nil || len(left) != 0 {
				t.Errorf("written through the link: %v, %v", left, err)
			}
		} else if got, err := os.ReadFile(target); err != nil || string(got) != "precious" {
			t.Errorf("%s: the target contains %q, %v", name, got, err)
		}
	}
}

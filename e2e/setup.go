package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program returns the path of an installed program, and fails the test where there is none:
// a test that skips itself proves nothing.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: run `make setup`", name)
	}
	return path
}

// npmProject returns the absolute path of a directory, once the npm packages that its lock file
// names are installed.
func npmProject(t testing.TB, dir string) string {
	t.Helper()
	path, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(path, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	// scripts/setup.sh leaves the sum of the lock file that it installed.
	sum := sha256.Sum256(lock)
	installed, _ := os.ReadFile(filepath.Join(path, "node_modules", ".installed"))
	if strings.TrimSpace(string(installed)) != hex.EncodeToString(sum[:]) {
		t.Fatalf("the npm packages of %s are missing or out of date: run `make setup`", path)
	}
	return path
}

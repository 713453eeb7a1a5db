package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// bundle returns page.js with all of the library that it uses, as one script for a page.
func (l library) bundle(t testing.TB) []byte {
	t.Helper()
	// Older packages expect the global object of Node.js, as webpack gives it to them.
	cmd := exec.CommandContext(t.Context(), filepath.Join(l.dir, "node_modules", ".bin", "esbuild"),
		"page.js", "--bundle", "--format=iife", "--target=chrome120", "--define:global=globalThis", "--log-level=warning")
	cmd.Dir = l.dir
	script, err := cmd.Output()
	if err != nil {
		t.Fatalf("esbuild: %v\n%s", err, cmd.Stderr)
	}
	return script
}

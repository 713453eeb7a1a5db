package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// bundle returns the program of a page, such as page.js, as one script with all of the packages
// that it uses.
func (l library) bundle(t testing.TB, page string) []byte {
	t.Helper()
	esbuild := filepath.Join(l.dir, "node_modules", ".bin", "esbuild")
	cmd := exec.CommandContext(t.Context(), esbuild, page,
		"--bundle", "--format=iife", "--target=chrome120", "--log-level=warning",
		// Older packages expect the global object of Node.js, as webpack gives it to them.
		"--define:global=globalThis",
		// What React and its styles need.
		"--jsx=automatic", "--loader:.css=text", `--define:process.env.NODE_ENV="production"`)
	cmd.Dir = l.dir
	script, err := cmd.Output()
	if err != nil {
		t.Fatalf("esbuild: %v\n%s", err, cmd.Stderr)
	}
	return script
}

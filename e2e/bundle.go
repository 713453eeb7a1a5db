package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// bundleAmplify returns js/amplify/page.js with all of aws-amplify that it uses, as one script for
// a page.
func bundleAmplify(t testing.TB) []byte {
	t.Helper()
	dir := npmProject(t, "js/amplify")
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "node_modules", ".bin", "esbuild"),
		"page.js", "--bundle", "--format=iife", "--target=chrome120", "--log-level=warning")
	cmd.Dir = dir
	script, err := cmd.Output()
	if err != nil {
		t.Fatalf("esbuild: %v\n%s", err, cmd.Stderr)
	}
	return script
}

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// buildNext builds the Next.js application in dir, which takes most of a minute, unless it has been
// built from the same sources and packages before.
func buildNext(t testing.TB, dir string) {
	t.Helper()
	want := sourceSum(t, dir)
	stamp := filepath.Join(dir, ".next", "built-from")
	if have, _ := os.ReadFile(stamp); string(have) == want {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	build := nextCommand(ctx, t, dir, "build")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("next build: %v\n%s", err, output)
	}
	if err := os.WriteFile(stamp, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sourceSum returns a sum over all files of a project but those that are installed or built.
func sourceSum(t testing.TB, dir string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".next"):
			return fs.SkipDir
		case !entry.Type().IsRegular(): // the node_modules of others is a link
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		contentSum := sha256.Sum256(content)
		sum.Write([]byte(name + "\x00"))
		sum.Write(contentSum[:])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func nextCommand(ctx context.Context, t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, program(t, "node"), append([]string{filepath.Join("node_modules", "next", "dist", "bin", "next")}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NEXT_TELEMETRY_DISABLED=1")
	return cmd
}

// startNext runs the application in dir at origin, such as http://localhost:3001, until the test
// ends.
func startNext(t testing.TB, dir, origin string, env ...string) {
	t.Helper()
	buildNext(t, dir)
	_, port, _ := strings.Cut(strings.TrimPrefix(origin, "http://"), ":")
	cmd := nextCommand(context.Background(), t, dir, "start", "--hostname", "localhost", "--port", port)
	cmd.Env = append(cmd.Env, env...)
	startProcess(t, cmd).prints("(Ready)")
}

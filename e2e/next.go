package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// buildNext builds the Next.js application of js/next, which takes most of a minute, unless it has been built from the same
// sources and packages before. It returns its directory.
func buildNext(t testing.TB) string {
	t.Helper()
	dir := npmProject(t, "next")
	want := sourceSum(t, dir)
	stamp := filepath.Join(dir, ".next", "built-from")
	if have, _ := os.ReadFile(stamp); string(have) == want {
		return dir
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
	return dir
}

// sourceSum returns a sum over all files of a project but those that are installed or built.
func sourceSum(t testing.TB, dir string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "node_modules" || entry.Name() == ".next":
			return fs.SkipDir
		case entry.IsDir():
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
	cmd.Env = append(os.Environ(),
		"NEXT_TELEMETRY_DISABLED=1",
		// The lock file names the platforms that the packages were locked for; Next.js would ask a registry for all others.
		"NEXT_IGNORE_INCORRECT_LOCKFILE=1",
	)
	return cmd
}

// startNext runs `next start` at origin, such as http://localhost:3001, until the test ends.
func startNext(t testing.TB, origin string, env ...string) {
	t.Helper()
	dir := buildNext(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(origin, "http://"), ":")
	cmd := nextCommand(t.Context(), t, dir, "start", "--hostname", "localhost", "--port", port)
	cmd.Env = append(cmd.Env, env...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		<-ended
		if t.Failed() {
			t.Logf("next printed:\n%s", output.Bytes())
		}
	})
	awaitServer(t, origin+"/", ended)
}

// awaitServer waits until address answers, or the process that should has ended.
func awaitServer(t testing.TB, address string, ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("no answer"))
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("%s: the process has ended: %v", address, err)
		case <-ctx.Done():
			t.Fatalf("%s: %v", address, context.Cause(ctx))
		case <-again.C:
		}
	}
}

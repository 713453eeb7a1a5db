package e2e

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// goProgram builds a command of this workspace, such as "./examples/gallery", and returns the path
// of its executable.
func goProgram(t testing.TB, pkg string) string {
	t.Helper()
	return filepath.Join(goPrograms(t, pkg), filepath.Base(pkg))
}

// goPrograms builds commands of this workspace, and returns the directory of their executables.
func goPrograms(t testing.TB, packages ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	// With -trimpath the build cache does not go by directories: TestRelease finds there what this
	// has compiled.
	args := append([]string{"build", "-trimpath", "-o", dir + string(filepath.Separator)}, packages...)
	cmd := exec.CommandContext(t.Context(), program(t, "go"), args...)
	cmd.Dir = ".."
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", strings.Join(packages, " "), err, output)
	}
	return dir
}

// process is a program that runs until the test ends, unless it is killed before.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has
	output watchedBuffer
}

// startProcess starts cmd.
func startProcess(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, ended: make(chan struct{})}
	p.output.written = make(chan struct{}, 1)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ends is for the tests to judge
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(patience):
			t.Errorf("%s did not end when it was asked to", filepath.Base(cmd.Path))
			p.kill()
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(cmd.Path), p.output.text())
		}
	})
	return p
}

// kill ends the process at once (SIGKILL): it has no chance to tidy up.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// prints waits until the process has printed something that matches, and returns the first
// submatch.
func (p *process) prints(pattern string) string {
	p.t.Helper()
	expression := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for {
		if m := expression.FindStringSubmatch(p.output.text()); m != nil {
			return m[1]
		}
		select {
		case <-p.output.written:
		case <-p.ended:
			if m := expression.FindStringSubmatch(p.output.text()); m != nil {
				return m[1]
			}
			p.t.Fatalf("the process ended before it printed %s", pattern)
		case <-ctx.Done():
			p.t.Fatalf("the process did not print %s within %v", pattern, patience)
		}
	}
}

// watchedBuffer collects what a process prints, and tells when there is more.
type watchedBuffer struct {
	written chan struct{}
	mu      sync.Mutex
	buffer  bytes.Buffer
}

func (b *watchedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.written <- struct{}{}:
	default:
	}
	return b.buffer.Write(p)
}

func (b *watchedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

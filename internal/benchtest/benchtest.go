// Package benchtest is for benchmarks: it starts a server in a process of its own, and tells how
// much CPU time a process has taken.
package benchtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Process is a process beside that of the benchmark.
type Process struct {
	Output *bufio.Reader // its standard output
	pid    int
}

// Start starts the test binary once more, with these arguments and, beside those that this process
// has, these environment variables. It ends when its standard input does, which is when the
// benchmark ends.
func Start(b *testing.B, arguments []string, variables ...string) *Process {
	b.Helper()
	cmd := exec.Command(os.Args[0], arguments...)
	cmd.Env = append(os.Environ(), variables...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p := &Process{bufio.NewReader(stdout), cmd.Process.Pid}
	b.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, p.Output)
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	return p
}

// CPU returns the CPU time that the process has taken.
func (p *Process) CPU(b *testing.B) time.Duration {
	b.Helper()
	return cpu(b, strconv.Itoa(p.pid))
}

// CPU returns the CPU time that f takes this process.
func CPU(b *testing.B, f func()) time.Duration {
	b.Helper()
	before := cpu(b, "self")
	f()
	return cpu(b, "self") - before
}

// cpu sums up the first field of the schedstat of each thread, in nanoseconds (Linux,
// Documentation/scheduler/sched-stats). The usual utime and stime count in steps of 10 ms.
func cpu(b *testing.B, process string) (sum time.Duration) {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%s/task/*/schedstat", process))
	if err != nil || len(threads) == 0 {
		b.Fatalf("no CPU times of process %s: %v", process, err)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			b.Fatal(err)
		}
		field, _, _ := strings.Cut(string(stat), " ")
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(n)
	}
	return sum
}

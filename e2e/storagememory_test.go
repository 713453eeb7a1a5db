package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// peak returns the most memory that a process has held since resetPeak, in bytes.
func (p *process) peak() int64 {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kB int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kB); err == nil {
			return kB << 10
		}
	}
	p.t.Fatalf("no VmHWM in %s", status)
	return 0
}

// resetPeak makes the peak what the process holds now, and returns it.
func (p *process) resetPeak() int64 {
	p.t.Helper()
	// proc_pid_clear_refs(5): 5 resets the peak resident set size.
	path := fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid)
	if err := os.WriteFile(path, []byte("5"), 0); err != nil {
		p.t.Fatal(err)
	}
	return p.peak()
}

// A server streams files through, up and down, in memory that does not grow with them: 1 GiB, and
// eight of 256 MiB at once. They are at most 2 GiB on disk at a time.
//
// Buffers have the budget of an App together, however many uploads there are. The garbage collector
// lets the heap become twice as large as what is in use. The rest are connections.
func TestStorageMemory(t *testing.T) {
	const (
		mib         = 1 << 20
		budget      = 32 * mib // the default of storage.Options.UploadMemory
		connections = 16 * mib
	)
	d := startDepot(t)
	server := d.serve()
	// What a server holds anyway: the session, keys, credentials, clients.
	if err := server.put("small", bytes.NewReader(randomBytes(t, 1, 6*mib))); err != nil {
		t.Fatal(err)
	}
	if _, err := server.sum("small"); err != nil {
		t.Fatal(err)
	}
	idle := server.resetPeak()
	t.Logf("idle: %d MiB", idle/mib)

	for _, c := range []struct {
		what   string
		atOnce int
		size   int64
		bound  int64 // of the memory above idle
	}{
		{"one", 1, 1024 * mib, 64 * mib},
		{"eight", 8, 256 * mib, 2*budget + connections},
	} {
		t.Run(c.what, func(t *testing.T) {
			sums := make([][sha256.Size]byte, c.atOnce)
			each := func(what string, transfer func(i int) error) {
				began := time.Now()
				server.resetPeak()
				var all sync.WaitGroup
				for i := range c.atOnce {
					all.Go(func() {
						if err := transfer(i); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				took := time.Since(began)
				above := server.peak() - idle
				t.Logf("%s: %d MiB above idle, %v, %.0f MiB/s", what, above/mib, took,
					float64(c.size*int64(c.atOnce)/mib)/took.Seconds())
				if above > c.bound {
					t.Errorf("%s took %d MiB above idle, want %d at most",
						what, above/mib, c.bound/mib)
				}
			}
			each("up", func(i int) error {
				hash := sha256.New()
				err := server.put(fmt.Sprint(i), io.TeeReader(newContent(t, byte(i), c.size), hash))
				sums[i] = [sha256.Size]byte(hash.Sum(nil))
				return err
			})
			each("down", func(i int) error {
				sum, err := server.sum(fmt.Sprint(i))
				if err == nil && sum != sums[i] {
					err = fmt.Errorf("file %d comes back with other bytes", i)
				}
				return err
			})
			d.removeAll()
		})
	}
}

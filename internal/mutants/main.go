package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// workers is how many mutants run at a time.
	workers = 2
	// testTimeout bounds the tests of a mutant. The slowest of them takes a few seconds.
	testTimeout = time.Minute
	// timeout bounds a mutant, with its build.
	timeout = 5 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	selected, err := regexp.Compile(strings.Join(args, " "))
	if err != nil {
		return err
	}
	mutants, skips, err := parse(data)
	if err != nil {
		return err
	}
	for _, s := range skips {
		fmt.Printf("skipped %s: %s: %s\n", s.row, s.test, s.reason)
	}
	mutants = slices.DeleteFunc(mutants, func(m *mutant) bool { return !selected.MatchString(m.String()) })
	if len(mutants) == 0 {
		return errors.New("no mutant is called so")
	}
	folders, err := testsBelow(root)
	if err != nil {
		return err
	}
	// A test that fails anyway would kill every mutant.
	if err := unchanged(ctx, root, mutants, folders); err != nil {
		return err
	}

	var mu sync.Mutex
	done, failed := 0, 0
	queue := make(chan *mutant)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for m := range queue {
				begin := time.Now()
				err := m.kill(ctx, root, folders)
				mu.Lock()
				done++
				fmt.Printf("%d of %d: %s (%.1fs)\n", done, len(mutants), m, time.Since(begin).Seconds())
				if err != nil {
					failed++
					fmt.Printf("FAIL: %v\n", err)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		if ctx.Err() == nil {
			queue <- m
		}
	}
	close(queue)
	all.Wait()
	fmt.Printf("%d passed, %d failed\n", done-failed, failed)
	if failed > 0 || ctx.Err() != nil {
		return errors.New("the tests do not notice all mutants")
	}
	return nil
}

// unchanged runs the tests of all mutants on the source as it is.
func unchanged(ctx context.Context, root string, mutants []*mutant, folders map[string]string) error {
	var names, packages []string
	for _, m := range mutants {
		for _, test := range m.tests {
			_, name, _ := strings.Cut(test, ".")
			names, packages = append(names, name), append(packages, folders[test])
		}
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	slices.Sort(names)
	names = slices.Compact(names)
	fmt.Printf("%d tests of %d packages on the source as it is\n", len(names), len(packages))
	command := exec.CommandContext(ctx, "go", append([]string{"test", "-p", fmt.Sprint(workers), "-run", only(names)}, packages...)...)
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("the tests fail on the source as it is: %w\n%s", err, output)
	}
	return nil
}

// only returns the pattern of go test for exactly these tests.
func only(names []string) string { return "^(" + strings.Join(names, "|") + ")$" }

// kill runs the tests of m on the source that m has changed. It returns an error unless all of them
// fail.
func (m *mutant) kill(ctx context.Context, root string, folders map[string]string) error {
	source, err := m.mutated(root)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	changed, overlay := filepath.Join(temporary, "changed.go"), filepath.Join(temporary, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(root, filepath.FromSlash(m.file)): changed},
	})
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(changed, []byte(source), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return err
	}
	byFolder := map[string][]string{}
	for _, test := range m.tests {
		_, name, _ := strings.Cut(test, ".")
		byFolder[folders[test]] = append(byFolder[folders[test]], name)
	}
	var errs []error
	for folder, names := range byFolder {
		errs = append(errs, mustFail(ctx, root, overlay, folder, names))
	}
	return errors.Join(errs...)
}

// event is a line of go test -json: see go doc cmd/test2json.
type event struct{ Action, Test, Output string }

// mustFail runs tests of one package, and returns an error unless all of them fail.
func mustFail(ctx context.Context, root, overlay, folder string, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-p", "1", "-vet=off",
		"-ldflags", "-s -w", // linking takes most of the time
		"-overlay", overlay, "-timeout", testTimeout.String(), "-run", only(names), folder)
	command.Dir = root
	var output, stderr bytes.Buffer
	command.Stdout, command.Stderr = &output, &stderr
	err := command.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	outcome, text := map[string]string{}, &strings.Builder{}
	panicked := false // which ends the process, and the tests that run with it
	for line := range bytes.Lines(output.Bytes()) {
		var e event
		if json.Unmarshal(line, &e) != nil {
			return fmt.Errorf("go test said %q", line)
		}
		switch {
		case e.Action == "build-fail":
			return fmt.Errorf("it does not compile:\n%s", text)
		case strings.HasPrefix(e.Output, "panic: test timed out"):
			return fmt.Errorf("%s: %s", folder, e.Output)
		case e.Output != "":
			panicked = panicked || strings.HasPrefix(e.Output, "panic: ")
			text.WriteString(e.Output)
		case e.Test != "":
			outcome[e.Test] = e.Action
		}
	}
	if len(outcome) == 0 {
		return fmt.Errorf("no test of %s ran: %w\n%s%s", folder, err, text, &stderr)
	}
	var errs []error
	for _, name := range names {
		if o := outcome[name]; o != "fail" && !(panicked && o == "run") {
			errs = append(errs, fmt.Errorf("%s of %s does not notice: %q", name, folder, outcome[name]))
		}
	}
	return errors.Join(errs...)
}

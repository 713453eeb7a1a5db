package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// library is an npm package that signs users in, with programs in JavaScript that use it.
type library struct {
	// dir is the directory of the programs, in which the package is installed.
	dir string
	// rotation: the package refreshes sessions by GetTokensFromRefreshToken, which it must where
	// refresh tokens are rotated.
	rotation bool
	// copies: a page reads the cookies when it is loaded, and then goes by a copy in localStorage.
	copies bool
}

// amplify6 is the newest aws-amplify.
func amplify6(t testing.TB) library {
	t.Helper()
	return library{dir: npmProject(t, "js/amplify"), rotation: true}
}

// amplifyJS is aws-amplify, configured for one backend and signed in as one user at most: a Node
// process of its own, or a page in a browser.
type amplifyJS struct {
	t testing.TB
	// invoke makes a call, the JSON array [name, ...arguments], and returns the JSON object {value}
	// or {error}.
	invoke func(call []byte) ([]byte, error)
}

// jsError is an error that aws-amplify threw.
type jsError struct {
	Name       string
	Message    string
	Underlying string
}

// do calls a function of aws-amplify/auth and decodes its result into out, if that is not nil. The
// test ends if it throws.
func (a *amplifyJS) do(out any, name string, args ...any) {
	a.t.Helper()
	value, jsErr := a.call(name, args...)
	if jsErr != nil {
		a.t.Fatalf("%s: %s: %s (%s)", name, jsErr.Name, jsErr.Message, jsErr.Underlying)
	}
	if out != nil {
		if err := json.Unmarshal(value, out); err != nil {
			a.t.Fatalf("%s: decoding the result: %v", name, err)
		}
	}
}

// fails calls a function of aws-amplify/auth that must throw an error of the given name.
func (a *amplifyJS) fails(wantName, name string, args ...any) {
	a.t.Helper()
	_, jsErr := a.call(name, args...)
	if jsErr == nil {
		a.t.Fatalf("%s: no error, want %s", name, wantName)
	}
	if jsErr.Name != wantName {
		a.t.Fatalf("%s: %s: %s, want %s", name, jsErr.Name, jsErr.Message, wantName)
	}
}

func (a *amplifyJS) call(name string, args ...any) (json.RawMessage, *jsError) {
	a.t.Helper()
	call, err := json.Marshal(append([]any{name}, args...))
	if err != nil {
		a.t.Fatal(err)
	}
	answer, err := a.invoke(call)
	if err != nil {
		a.t.Fatalf("%s: %v", name, err)
	}
	var outcome struct {
		Value json.RawMessage
		Error *jsError
	}
	if err := json.Unmarshal(answer, &outcome); err != nil {
		a.t.Fatalf("%s: decoding the answer: %v", name, err)
	}
	return outcome.Value, outcome.Error
}

// node starts the library in a Node process that ends with the test. env is added to the process's
// environment.
func (l library) node(t testing.TB, env ...string) *amplifyJS {
	t.Helper()
	cmd := exec.Command(program(t, "node"), filepath.Join(l.dir, "rpc.js"))
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// bounded ends a process that does not do in time what it should.
	bounded := func() *time.Timer { return time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) }
	t.Cleanup(func() {
		defer bounded().Stop()
		if err := errors.Join(stdin.Close(), cmd.Wait()); err != nil {
			t.Errorf("node: %v", err)
		}
		if t.Failed() && stderr.Len() > 0 {
			t.Logf("node printed:\n%s", stderr.Bytes())
		}
	})
	answers := bufio.NewReader(stdout)
	return &amplifyJS{t, func(call []byte) ([]byte, error) {
		defer bounded().Stop()
		if _, err := stdin.Write(append(call, '\n')); err != nil {
			return nil, err
		}
		answer, err := answers.ReadBytes('\n')
		if err != nil {
			return nil, fmt.Errorf("node ended, or did not answer within %v: %w", patience, err)
		}
		return answer, nil
	}}
}

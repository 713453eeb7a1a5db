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

// jsModule is an npm package whose functions tests call by name, in a Node process of its own or in
// a page of a browser. Of aws-amplify it is one client, in which one user at most is signed in.
type jsModule struct {
	t testing.TB
	// invoke makes a call, the JSON array [name, ...arguments], and returns the JSON object {value}
	// or {error}.
	invoke func(call []byte) ([]byte, error)
}

// jsError is an error that a function threw.
type jsError struct {
	Name       string
	Message    string
	Underlying string
	// Class and Status are the class of the error and the status of the answer that it stands for.
	// Only awssdk.js, s3.js and openid.js give them.
	Class  string
	Status int
}

// do calls a function and decodes its result into out, if that is not nil. The test ends if it
// throws.
func (m *jsModule) do(out any, name string, args ...any) {
	m.t.Helper()
	value, jsErr := m.call(name, args...)
	if jsErr != nil {
		m.t.Fatalf("%s: %s: %s (%s)", name, jsErr.Name, jsErr.Message, jsErr.Underlying)
	}
	if out != nil {
		if err := json.Unmarshal(value, out); err != nil {
			m.t.Fatalf("%s: decoding the result: %v", name, err)
		}
	}
}

// fails calls a function that must throw an error of the given name, and returns the error.
func (m *jsModule) fails(wantName, name string, args ...any) *jsError {
	m.t.Helper()
	_, jsErr := m.call(name, args...)
	if jsErr == nil {
		m.t.Fatalf("%s: no error, want %s", name, wantName)
	}
	if jsErr.Name != wantName {
		m.t.Fatalf("%s: %s: %s, want %s", name, jsErr.Name, jsErr.Message, wantName)
	}
	return jsErr
}

func (m *jsModule) call(name string, args ...any) (json.RawMessage, *jsError) {
	m.t.Helper()
	call, err := json.Marshal(append([]any{name}, args...))
	if err != nil {
		m.t.Fatal(err)
	}
	answer, err := m.invoke(call)
	if err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	var outcome struct {
		Value json.RawMessage
		Error *jsError
	}
	if err := json.Unmarshal(answer, &outcome); err != nil {
		m.t.Fatalf("%s: decoding the answer: %v", name, err)
	}
	return outcome.Value, outcome.Error
}

// node starts the library in a Node process that ends with the test. env is added to the process's
// environment.
func (l library) node(t testing.TB, env ...string) *jsModule {
	t.Helper()
	return startModule(t, l.dir, "call.js", env...)
}

// startModule starts a Node process with the functions that a file of dir gives, as node does with
// those of the library.
func startModule(t testing.TB, dir, file string, env ...string) *jsModule {
	t.Helper()
	cmd := exec.Command(program(t, "node"), filepath.Join(dir, "rpc.js"), "./"+file)
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
	return &jsModule{t, func(call []byte) ([]byte, error) {
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

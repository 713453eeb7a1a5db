package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asCommand in the environment makes the test binary behave as the command, so that tests
// run what users run: a process of its own with arguments, signals and an exit status.
const asCommand = "AMPLIFY_GO_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command returns amplify-go with arguments, ready to run in dir.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// output runs the command to its end.
func output(t *testing.T, dir string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := command(t, dir, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

func TestCommandLine(t *testing.T) {
	tests := map[string]struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		"nothing":          {nil, 0, "Run a local backend", ""},
		"help":             {[]string{"--help"}, 0, "This is version " + version() + ".", ""},
		"help of sandbox":  {[]string{"sandbox", "--help"}, 0, "--write-outputs=FILE", ""},
		"help of the hook": {[]string{"sandbox", "--help"}, 0, "--pre-token=FILE", ""},
		"help of groups":   {[]string{"sandbox", "--help"}, 0, "The app client's settings", ""},
		"grace alone":      {[]string{"sandbox", "--rotation-grace=5s"}, 2, "", "--rotate-refresh-tokens"},
		"long grace":       {[]string{"sandbox", "--port=0", "--rotate-refresh-tokens", "--rotation-grace=61s"}, 1, "", "0 to 60 s"},
		"no flow":          {[]string{"sandbox", "--port=0", "--auth-flows=USER_PASSWORD_AUTH"}, 1, "", "USER_PASSWORD_AUTH"},
		"long validity":    {[]string{"sandbox", "--port=0", "--id-token-validity=25h"}, 1, "", "longer than 24h"},
		"no scope":         {[]string{"sandbox", "--port=0", "--custom-scopes=read,/read,photos/"}, 1, "", `"photos/" is not of the form photos/read`},
		"aliases":          {[]string{"sandbox", "--port=0", "--alias-attributes=email"}, 1, "", "alias attributes are for pools"},
		"no machine":       {[]string{"sandbox", "--machine-scopes=photos/read"}, 2, "", "--machine-client"},
		"public machine":   {[]string{"sandbox", "--machine-client=job"}, 2, "", "--machine-secret-file"},
		"two secrets":      {[]string{"sandbox", "--client-secret-file=-", "--machine-client=job", "--machine-secret-file=-"}, 2, "", "read once"},
		"no secret":        {[]string{"sandbox", "--port=0", "--client-secret-file=none"}, 1, "", "--client-secret-file: open none"},
		"empty secret":     {[]string{"sandbox", "--port=0", "--client-secret-file=/dev/null"}, 1, "", "/dev/null is empty"},
		"help of doctor":   {[]string{"doctor", "--help"}, 0, "--cookie-file=FILE", ""},
		"version":          {[]string{"version"}, 0, "amplify-go " + version() + " go", ""},
		"unknown command":  {[]string{"sandbx"}, 2, "", `did you mean "sandbox"`},
		"unknown flag":     {[]string{"sandbox", "--prot=1"}, 2, "", "--help"},
		"bad value":        {[]string{"sandbox", "--port=many"}, 2, "", "--port"},
		"bad log format":   {[]string{"version", "--log-format=xml"}, 2, "", `"text","json"`},
		"no outputs":       {[]string{"sandbox", "--port=0", "--outputs=none.json"}, 1, "", "--write-outputs names one to write"},
		"no users":         {[]string{"sandbox", "--port=0", "--users=none.json"}, 1, "", "none.json"},
		"no pre-token":     {[]string{"sandbox", "--port=0", "--pre-token=none.json"}, 1, "", "none.json"},
		"not an origin":    {[]string{"sandbox", "--port=0", "--app-origin=localhost:3000"}, 1, "", "http://localhost:3000"},
		"no such port":     {[]string{"sandbox", "--port=70000"}, 1, "", "invalid port"},
		"nowhere to write": {[]string{"sandbox", "--port=0", "--write-outputs=none/x.json"}, 1, "", "none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := output(t, t.TempDir(), test.args...)
			if status != test.status || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("status %d, want %d with %q on stdout and %q on stderr; stdout:\n%s\nstderr:\n%s",
					status, test.status, test.stdout, test.stderr, stdout, stderr)
			}
		})
	}
}

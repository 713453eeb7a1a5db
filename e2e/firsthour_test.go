package e2e

import (
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// firstHour does what the README tells a newcomer to, with the README's own words: a new module
// with its program, the local backend from the installed command line, a sign-up in a browser, a
// test of the program's handler, and doctor, on what is right and on what is not. user is where
// modules come from, and amplifyGo the command line.
func firstHour(t *testing.T, user place, amplifyGo string) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(language, begin string) string {
		m := regexp.MustCompile("(?s)```" + language + "\n(" + begin + ".*?)```\n").FindSubmatch(readme)
		if m == nil {
			t.Fatalf("the README has no block of %s that begins with %q", language, begin)
		}
		return string(m[1])
	}
	user = user.in(t.TempDir())
	file := func(name, text string) {
		if err := os.WriteFile(filepath.Join(user.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file("main.go", block("go", "package main\n"))
	steps := strings.Split(block("sh", "go mod init"), "\n")
	user.run(t, "sh", "-c", steps[0])
	if len(steps) < 3 || !strings.HasPrefix(steps[1], "go run "+toolPath+"@latest sandbox") || !strings.HasPrefix(steps[2], "AMPLIFY_OUTPUTS=amplify_outputs.sandbox.json go run .") {
		t.Fatalf("the README has other steps than this test:\n%s", strings.Join(steps, "\n"))
	}
	user.run(t, "go", "build", "-o", "hello", ".")

	port := freePort(t)
	origin := "http://localhost:" + port
	sandbox := startProcess(t, user.command(amplifyGo, "sandbox", "--port=0", "--app-origin="+origin))
	inbox := sandbox.prints(`(http://\S+/inbox)`)
	hello := startProcess(t, user.with("AMPLIFY_OUTPUTS=amplify_outputs.sandbox.json", "PORT="+port).command("./hello"))
	hello.prints(`listening on (\S+)`)

	const email = "ann@example.com"
	b := browser.profile(t)
	b.open(origin)
	b.sees("Welcome!")
	b.click("Sign in")
	b.click("Create an account")
	b.sees("Already have an account?") // the other page has an e-mail address, too
	b.fill("Email address", email)
	b.fill("Password", password)
	b.fill("Repeat the password", password)
	b.click("Create account")
	b.sees("Confirm your account")
	mail := b.beside()
	mail.open(inbox + "?" + url.Values{"to": {email}}.Encode())
	mail.sees(email)
	b.fill("Code", regexp.MustCompile(`\b\d{6}\b`).FindString(mail.text()))
	b.click("Confirm account")
	b.arrives(origin + "/home")
	b.sees("Hello, " + email + "!")
	b.click("Sign out")
	b.sees("Welcome!")

	test, err := os.ReadFile("../examples/hello/main_test.go")
	if err != nil {
		t.Fatal(err)
	}
	file("main_test.go", string(test))
	user.run(t, "go", "test", "-run=^TestHome$", ".")

	doctor := []string{"doctor", "--outputs=amplify_outputs.sandbox.json", "--origin=" + origin}
	if said, err := user.try(t, amplifyGo, doctor...); err != nil {
		t.Errorf("doctor: %v\n%s", err, said)
	}
	outputs, err := os.ReadFile(filepath.Join(user.dir, "amplify_outputs.sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string]struct{ from, to, says string }{
		"another client":   {`("user_pool_client_id": ?)"[^"]*"`, `$1"3nosuchclient"`, "There is no app client 3nosuchclient"},
		"another callback": {`/sign-in-callback`, `/callback`, origin + "/api/auth/sign-in-callback"},
	} {
		text := regexp.MustCompile(broken.from).ReplaceAllString(string(outputs), broken.to)
		file("broken.json", text)
		said, err := user.try(t, amplifyGo, "doctor", "--outputs=broken.json", "--origin="+origin)
		if err == nil || !strings.Contains(said, broken.says) {
			t.Errorf("%s: doctor says, %v, and not %q:\n%s", name, err, broken.says, said)
		}
	}
}

// freePort returns a port that nothing listens at.
func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// command returns a command that runs at p.
func (p place) command(name string, args ...string) *exec.Cmd {
	if !filepath.IsAbs(name) {
		name = filepath.Join(p.dir, name)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), p.env...)
	return cmd
}

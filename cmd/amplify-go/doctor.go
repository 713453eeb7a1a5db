package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/doctor"
)

// doctorCommand says what is wrong with a configuration, a session and a running application.
type doctorCommand struct {
	Outputs    string `type:"path" placeholder:"FILE" help:"The outputs that the application uses. The default is the environment variable AMPLIFY_OUTPUTS, or else amplify_outputs.json."`
	CookieFile string `xor:"session" placeholder:"FILE" help:"A file with the Cookie header of a request, as the browser's developer tools show it. - reads standard input."`
	Request    string `xor:"session" placeholder:"FILE" help:"A file with requests, as the browser's developer tools copy them as cURL or save them as HAR. - reads standard input."`
	URL        string `name:"url" placeholder:"URL" help:"A page of the running application, to see what it answers to these cookies. Of --request only those of this page count."`
	Guest      bool   `help:"Ask for the AWS credentials of a guest. This makes an identity in the identity pool."`
	Offline    bool   `help:"Ask nothing of the network."`
	JSON       bool   `name:"json" help:"Write the report as JSON."`

	Origin           string `group:"The application's settings" placeholder:"ORIGIN" help:"The application's origin. The default is the environment variable AMPLIFY_APP_ORIGIN."`
	CookieDomain     string `group:"The application's settings" placeholder:"DOMAIN" help:"The domain of its cookies (Options.Cookies.Domain)."`
	Bearer           bool   `group:"The application's settings" help:"It accepts bearer tokens (Options.Bearer)."`
	ClientSecretFile string `group:"The application's settings" placeholder:"FILE" help:"A file with the secret of its app client. The default is the environment variable AMPLIFY_CLIENT_SECRET."`
}

// Help is shown above the flags.
func (*doctorCommand) Help() string {
	return `Step by step: what is there, what is valid, what is wrong, and what to do.
No token, secret or cookie value is printed. Nothing is changed, unless --guest asks for it. Cookies
and secrets are read from a file, from standard input or from the environment, so that they do not
end up in the history of the shell:
  amplify-go doctor --cookie-file=- <cookies.txt
  pbpaste | amplify-go doctor --request=-

--json writes {"findings": [...]}. Each finding has "check" (what was looked at), "status" (ok,
warning or problem) and "message"; where they apply "advice", "reason" (a Reason of the library)
and, if there are several sessions, "request". Further members may come.

The exit status is 0 if there is no problem, 1 if there is one, and 2 if nothing could be examined.`
}

const (
	// maxCookieFile bounds what is read of a Cookie header. No server takes a larger one.
	maxCookieFile = 1 << 20
	// maxSecretFile bounds what is read of a client secret. Cognito's have 64 characters at most.
	maxSecretFile = 1 << 10
	secretEnv     = "AMPLIFY_CLIENT_SECRET"
)

// Validate is called by kong.
func (c *doctorCommand) Validate() error {
	if c.URL != "" && c.Offline && c.Request == "" {
		return errors.New("--url needs the network: leave --offline out")
	}
	if c.ClientSecretFile == "-" && (c.CookieFile == "-" || c.Request == "-") {
		return errors.New("standard input can be read once: give a file to --client-secret-file")
	}
	return nil
}

func (c *doctorCommand) Run(ctx context.Context, r *reporter) error {
	input, err := c.input(os.Stdin)
	if err != nil {
		return exitError{2, err}
	}
	outputs := cmp.Or(c.Outputs, os.Getenv("AMPLIFY_OUTPUTS"), "amplify_outputs.json")
	cfg, err := amplify.LoadConfig(outputs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exitError{2, fmt.Errorf("there is no %s: name the outputs of the application with --outputs, "+
			"such as those that the sandbox has written (amplify_outputs.sandbox.json)", outputs)}
	case err != nil:
		return err
	}
	done := progress(!c.Offline)
	report := doctor.Examine(ctx, cfg, input)
	done()
	if ctx.Err() != nil {
		return exitError{2, errors.New("interrupted")}
	}
	if c.JSON || r.json {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(struct {
			Version string `json:"version"`
			*doctor.Report
		}{version(), report})
	} else {
		fmt.Printf("amplify-go %s\n\n", version())
		_, err = io.WriteString(os.Stdout, decorate(report.String(), unicodeLocale(os.Getenv), colored(os.Stdout, os.Getenv)))
	}
	if err == nil && !report.Healthy() {
		return exitError{1, nil} // the report says it
	}
	return err
}

// input returns what to examine.
func (c *doctorCommand) input(stdin io.Reader) (doctor.Input, error) {
	in := doctor.Input{URL: c.URL, Guest: c.Guest, Offline: c.Offline, Options: amplifyhttp.Options{
		Origin: c.Origin, Bearer: c.Bearer, Cookies: amplifyhttp.CookieOptions{Domain: c.CookieDomain},
	}}
	secret := os.Getenv(secretEnv)
	if c.ClientSecretFile != "" {
		var err error
		if secret, err = readFile(c.ClientSecretFile, stdin, maxSecretFile); err != nil {
			return in, fmt.Errorf("--client-secret-file: %w", err)
		}
	}
	in.Options.Cognito.ClientSecret = amplify.NewSecret(strings.TrimSpace(secret))
	var err error
	switch {
	case c.CookieFile != "":
		in.Requests, err = readCookies(c.CookieFile, stdin)
	case c.Request != "":
		in.Requests, err = c.readRequests(stdin)
	}
	return in, err
}

// readRequests reads the requests of a file of developer tools.
func (c *doctorCommand) readRequests(stdin io.Reader) ([]*http.Request, error) {
	text, err := readFile(c.Request, stdin, maxRequestFile)
	var requests []*http.Request
	if err == nil {
		requests, err = parseRequests(text)
	}
	if err == nil {
		requests, err = chooseRequests(requests, c.URL, c.Bearer)
	}
	if err != nil {
		return nil, fmt.Errorf("--request: %w", err)
	}
	return requests, nil
}

// readCookies reads a Cookie header: its value, with or without the name, possibly in several
// lines. It returns one request with it. Errors do not quote it.
func readCookies(path string, stdin io.Reader) ([]*http.Request, error) {
	text, err := readFile(path, stdin, maxCookieFile)
	if err != nil {
		return nil, fmt.Errorf("--cookie-file: %w", err)
	}
	header := http.Header{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "Cookie") {
			line = strings.TrimSpace(value)
		}
		switch {
		case line == "":
		case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return nil, errors.New("--cookie-file: control characters are not part of a Cookie header")
		case isCurl(line):
			return nil, errors.New("--cookie-file: that is a command of cURL: give it to --request")
		case !strings.Contains(line, "="):
			return nil, errors.New(`--cookie-file: that is no Cookie header: it looks like "name=value; name=value"`)
		default:
			header.Add("Cookie", line)
		}
	}
	return []*http.Request{{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Header: header}}, nil
}

// progress tells people that the network is waited for, until the function that it returns is
// called.
func progress(waiting bool) (done func()) {
	if !waiting || !isatty.IsTerminal(os.Stderr.Fd()) || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	fmt.Fprint(os.Stderr, "Asking Cognito and the application …")
	return func() { fmt.Fprint(os.Stderr, "\r\x1b[K") }
}

// colored reports whether to write colours to f (https://no-color.org).
func colored(f *os.File, getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" && isatty.IsTerminal(f.Fd())
}

// unicodeLocale reports whether the environment is one that shows UTF-8. Where nothing is said it
// is.
func unicodeLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} { // in the order of POSIX
		if v := getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}

// decorate colours the marks of a report, and writes it in ASCII where the terminal shows no more.
func decorate(report string, unicode, colors bool) string {
	var b strings.Builder
	for line := range strings.Lines(report) {
		for _, m := range []struct{ mark, plain, color string }{{"✓", "+", "32"}, {"!", "!", "33"}, {"✗", "x", "31"}} {
			rest, ok := strings.CutPrefix(line, m.mark)
			if !ok {
				continue
			}
			mark := m.mark
			if !unicode {
				mark = m.plain
			}
			if colors {
				mark = "\x1b[" + m.color + "m" + mark + "\x1b[0m"
			}
			line = mark + rest
			break
		}
		b.WriteString(line)
	}
	if unicode {
		return b.String()
	}
	return strings.NewReplacer("→", ">", "…", "...").Replace(b.String())
}

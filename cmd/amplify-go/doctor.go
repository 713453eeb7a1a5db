package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/doctor"
)

// doctorCommand says what is wrong with a configuration, a session and a running application.
type doctorCommand struct {
	Outputs    string `type:"path" default:"amplify_outputs.json" placeholder:"FILE" help:"The outputs that the application uses (${default})."`
	Origin     string `placeholder:"ORIGIN" help:"The application's origin. The default is the environment variable AMPLIFY_APP_ORIGIN."`
	CookieFile string `placeholder:"FILE" help:"A file with the Cookie header of a request, as the browser's developer tools show it. - reads standard input."`
	URL        string `name:"url" placeholder:"URL" help:"A page of the running application, to see what it answers to these cookies."`
	Offline    bool   `help:"Ask nothing of the network."`
	JSON       bool   `name:"json" help:"Write the report as JSON."`
}

// Help is shown above the flags.
func (*doctorCommand) Help() string {
	return `Step by step: what is there, what is valid, what is wrong, and what to do.
No token, cookie value or user name is printed, and nothing is changed. Cookies are read from a file
or from standard input, so that they do not end up in the history of the shell:
  amplify-go doctor --cookie-file=- <cookies.txt

The exit status is 0 if there is no problem, 1 if there is one, and 2 if nothing could be examined.`
}

// maxCookieFile bounds what is read of a Cookie header. No server takes a larger one.
const maxCookieFile = 1 << 20

// Validate is called by kong.
func (c *doctorCommand) Validate() error {
	if c.URL != "" && c.Offline {
		return errors.New("--url needs the network: leave --offline out")
	}
	return nil
}

func (c *doctorCommand) Run(ctx context.Context, r *reporter) error {
	input := doctor.Input{Options: amplifyhttp.Options{Origin: c.Origin}, URL: c.URL, Offline: c.Offline}
	if c.CookieFile != "" {
		header, err := readCookies(c.CookieFile, os.Stdin)
		if err != nil {
			return exitError{2, err}
		}
		input.Header = header
	}
	cfg, err := amplify.LoadConfig(c.Outputs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exitError{2, fmt.Errorf("there is no %s: name the outputs of the application with --outputs", c.Outputs)}
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

// readCookies reads a Cookie header: its value, with or without the name, possibly in several
// lines. Errors do not quote it.
func readCookies(path string, stdin io.Reader) (http.Header, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxCookieFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxCookieFile {
		return nil, fmt.Errorf("--cookie-file: more than %d bytes are no Cookie header", maxCookieFile)
	}
	header := http.Header{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "Cookie") {
			line = strings.TrimSpace(value)
		}
		switch {
		case line == "":
		case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return nil, errors.New("--cookie-file: control characters are not part of a Cookie header")
		case !strings.Contains(line, "="):
			return nil, errors.New(`--cookie-file: that is no Cookie header: it looks like "name=value; name=value"`)
		default:
			header.Add("Cookie", line)
		}
	}
	return header, nil
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

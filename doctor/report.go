package doctor

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/amplify-go/amplify"
)

// Report is what an examination has found, in the order in which things depend on one another. Its
// JSON has the names given here; further names may come.
type Report struct {
	Findings []Finding `json:"findings"`
}

// Finding is the result of one check.
type Finding struct {
	// Check names what was looked at: configuration, origin, redirects, scopes, keys, clock,
	// app-client, managed-login, identity-pool, guest, storage, cookies, tokens, expiry, session,
	// app, auth-routes. Others may come.
	Check string `json:"check"`
	// Request is which of several requests the finding is about, such as "GET
	// https://myapp.com/home". Of one request it is empty, and where it is about none.
	Request string `json:"request,omitempty"`
	// Status is "ok", "warning" or "problem".
	Status Status `json:"status"`
	// Message says what was found.
	Message string `json:"message"`
	// Advice says what to do about it. It is empty where nothing needs to be done.
	Advice string `json:"advice,omitempty"`
	// Reason is why a session does not count, or why that is not known.
	Reason amplify.Reason `json:"reason,omitempty"`
}

// Status says whether a finding is one to act upon.
type Status string

// The values of Status. A warning works today, or somewhere else.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Problem Status = "problem"
)

// Healthy reports whether there is no problem. Warnings do not count.
func (r *Report) Healthy() bool { return r.count(Problem) == 0 }

func (r *Report) count(s Status) (n int) {
	for _, f := range r.Findings {
		if f.Status == s {
			n++
		}
	}
	return n
}

// String returns the report as a text for people. Each finding begins in the first column, with one
// of the marks "✓", "!" and "✗"; advice follows below, behind "→". Where there are several
// requests, a line with the request precedes its findings.
func (r *Report) String() string {
	checks := 0
	for _, f := range r.Findings {
		checks = max(checks, utf8.RuneCountInString(f.Check))
	}
	indent := strings.Repeat(" ", 2+checks+2)
	var b strings.Builder
	about := ""
	for _, f := range r.Findings {
		if f.Request != about {
			about = f.Request
			fmt.Fprintf(&b, "\n%s\n", cmp.Or(about, "The application"))
		}
		message := f.Message
		if f.Reason != "" {
			message += " (" + string(f.Reason) + ")"
		}
		fmt.Fprintf(&b, "%s %-*s  %s\n", f.Status.mark(), checks, f.Check, wrap(message, indent))
		if f.Advice != "" {
			fmt.Fprintf(&b, "%s→ %s\n", indent, wrap(f.Advice, indent+"  "))
		}
	}
	fmt.Fprintf(&b, "\n%s.\n", r.summary())
	return b.String()
}

func (r *Report) summary() string {
	problems, warnings := r.count(Problem), r.count(Warning)
	switch {
	case problems == 0 && warnings == 0:
		return "Nothing is wrong"
	case problems == 0:
		return "No problem, " + plural(warnings, "warning")
	case warnings == 0:
		return plural(problems, "problem")
	default:
		return plural(problems, "problem") + ", " + plural(warnings, "warning")
	}
}

func (s Status) mark() string {
	switch s {
	case OK:
		return "✓"
	case Warning:
		return "!"
	default:
		return "✗"
	}
}

// lineWidth is how many characters of a message stand in one line.
const lineWidth = 78

// wrap breaks s at blanks. All lines but the first begin with indent.
func wrap(s, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > lineWidth:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

package amplify

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// ConfigError is one fault of the settings. Every constructor of this module reports all faults at
// once; [ConfigErrors] finds them in its error.
type ConfigError struct {
	// Field is the Go name of the setting, such as "Config.Auth.UserPoolID".
	Field string
	// Value is what the setting says. It is empty for secrets.
	Value string
	// Source is where the value comes from: a file that [LoadConfig] read, or the name of an
	// environment variable. It is empty if the value was set in Go.
	Source string
	// Problem says what is wrong with it, and what to write instead.
	Problem string
	// Err is the error that Amplify JS has for this fault, with its name and message, or nil.
	Err *Error
}

// Error returns the field, its value, where that comes from, and the problem.
func (e *ConfigError) Error() string {
	s := e.Field
	if e.Value != "" {
		s += fmt.Sprintf(" %q", e.Value)
	}
	if e.Source != "" {
		s += " (" + e.Source + ")"
	}
	return s + ": " + e.Problem
}

// Unwrap returns e.Err, if there is one.
func (e *ConfigError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return e.Err
}

// ConfigErrors returns all faults that err reports, whichever constructor it comes from.
func ConfigErrors(err error) (all []*ConfigError) {
	switch e := err.(type) {
	case *ConfigError:
		return []*ConfigError{e}
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			all = append(all, ConfigErrors(err)...)
		}
	case interface{ Unwrap() error }:
		return ConfigErrors(e.Unwrap())
	}
	return all
}

// NewConfigError returns the error that reports faults: an [*Error] with [ReasonConfiguration]. It
// has the name that Amplify JS gives the first of them, and of a single fault the message too. It
// returns nil if there are none.
func NewConfigError(faults ...*ConfigError) error {
	if len(faults) == 0 {
		return nil
	}
	e := &Error{
		Name: invalidParameter, Reason: ReasonConfiguration,
		Message:            "The settings cannot be used.",
		RecoverySuggestion: "Correct the settings named.",
		Err:                faultList(faults),
	}
	if slices.ContainsFunc(faults, func(f *ConfigError) bool { return strings.HasPrefix(f.Field, "Config.") }) {
		e.RecoverySuggestion = "Correct the settings named, or generate the outputs again (npx ampx generate outputs)."
	}
	if js := faults[0].Err; js != nil {
		e.Name = js.Name
		if len(faults) == 1 {
			e.Message = cmp.Or(js.Message, e.Message)
			e.RecoverySuggestion = cmp.Or(js.RecoverySuggestion, e.RecoverySuggestion)
		}
	}
	return e
}

// faults are the faults found so far.
type faults []*ConfigError

// add adds a fault and returns it.
func (f *faults) add(field, value, format string, a ...any) *ConfigError {
	if strings.Contains(value, "@") {
		value = "" // an address may hold a password
	}
	e := &ConfigError{Field: field, Value: value, Problem: fmt.Sprintf(format, a...)}
	*f = append(*f, e)
	return e
}

func (f faults) err() error { return NewConfigError(f...) }

// faultList is several faults as one error of one line.
type faultList []*ConfigError

func (f faultList) Error() string {
	texts := make([]string, len(f))
	for i, e := range f {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

func (f faultList) Unwrap() []error {
	errs := make([]error, len(f))
	for i, e := range f {
		errs[i] = e
	}
	return errs
}

// Validate reports every fault of the configuration at once, as an [*Error] with
// [ReasonConfiguration] and the name that Amplify JS gives the first of them. It looks at what is
// there: that a part is missing shows where it is needed.
func (c Config) Validate() error {
	return c.faults().err()
}

// A region or a name of that form, "_", and an identifier:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html
const userPoolID = `^[A-Za-z0-9-]+_[A-Za-z0-9]+$`

// https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html
const identityPoolID = `^[A-Za-z0-9-]+:[A-Za-z0-9-]+$`

// What a client id is made of goes into the names of cookies:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolClientType.html
const userPoolClientID = `^[A-Za-z0-9_+]+$`

func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

func (c Config) faults() (f faults) {
	if a := c.Auth; a != nil {
		f = append(f, a.faults()...)
	}
	if d := c.Data; d != nil {
		f.url("Config.Data.Endpoint", d.Endpoint)
		f.url("Config.Data.CustomEndpoint", d.CustomEndpoint)
		modes := []string{"", "apiKey", "userPool", "identityPool", "iam", "oidc", "lambda", "none"}
		if !slices.Contains(modes, d.DefaultAuthMode) {
			f.add("Config.Data.DefaultAuthMode", d.DefaultAuthMode, "is not one of %s", strings.Join(modes[1:], ", "))
		}
	}
	for _, fault := range f {
		fault.Source = c.file
	}
	return f
}

func (a *AuthConfig) faults() (f faults) {
	switch {
	case a.UserPoolID == "":
	case !matches(userPoolID, a.UserPoolID):
		f.add("Config.Auth.UserPoolID", a.UserPoolID, `is not the id of a user pool, such as "eu-west-1_Abc123456"`).Err = &Error{
			Name: "InvalidUserPoolId", Message: "Invalid user pool id provided.",
		}
	}
	switch {
	case a.UserPoolID == "" && a.UserPoolClientID != "":
		f.add("Config.Auth.UserPoolID", "", "is empty, and yet there is an app client: give the pool that it belongs to").Err = errNoUserPool()
	case a.UserPoolID != "" && a.UserPoolClientID == "":
		f.add("Config.Auth.UserPoolClientID", "", "is empty, and yet there is a user pool: give the id of an app client of it").Err = errNoUserPool()
	case a.UserPoolClientID != "" && !matches(userPoolClientID, a.UserPoolClientID):
		f.add("Config.Auth.UserPoolClientID", a.UserPoolClientID, "is not the id of an app client: those have letters and digits only")
	}
	if a.IdentityPoolID != "" && !matches(identityPoolID, a.IdentityPoolID) {
		f.add("Config.Auth.IdentityPoolID", a.IdentityPoolID,
			`is not the id of an identity pool, such as "eu-west-1:11111111-2222-3333-4444-555555555555"`).Err = &Error{
			Name: "InvalidIdentityPoolIdException", Message: "Invalid identity pool id provided.",
			RecoverySuggestion: "Make sure a valid identityPoolId is given in the config.",
		}
	}
	f.url("Config.Auth.UserPoolEndpoint", a.UserPoolEndpoint)
	f.url("Config.Auth.IdentityPoolEndpoint", a.IdentityPoolEndpoint)
	if o := a.OAuth; o != nil {
		// Without a domain there is no managed login, which those who need it report.
		if u, err := url.Parse("https://" + o.Domain); err != nil || u.Host != o.Domain {
			f.add("Config.Auth.OAuth.Domain", o.Domain, `is not a host: write "<prefix>.auth.<region>.amazoncognito.com" or your own domain, without https://`)
		}
		for _, redirects := range []struct {
			field     string
			addresses []string
		}{{"RedirectSignIn", o.RedirectSignIn}, {"RedirectSignOut", o.RedirectSignOut}} {
			for i, address := range redirects.addresses {
				// Which of them a server can use depends on its origin; others belong to mobile
				// apps (myapp://).
				if u, err := url.Parse(address); err != nil || address == "" || u.Fragment != "" {
					f.add(fmt.Sprintf("Config.Auth.OAuth.%s[%d]", redirects.field, i), address,
						"is not a URL without a fragment, as RFC 6749 §3.1.2 asks for")
				}
			}
		}
	}
	return f
}

// url adds a fault if s is there and not the address of a service, and returns it.
func (f *faults) url(field, s string) *ConfigError {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return f.add(field, s, `is not a URL such as "https://example.com" or "http://localhost:9000"`)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return f.add(field, s, "has a user, a query or a fragment: leave it out")
	}
	return nil
}

// errNoUserPool is Amplify JS's error where half of a user pool's settings is missing.
func errNoUserPool() *Error {
	return &Error{Name: "AuthUserPoolException", Message: "Auth UserPool not configured."}
}

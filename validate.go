package amplify

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// ConfigError is one fault of the settings. [New] and [Config.Validate] report all of them at once;
// [errors.As] finds the first, [ConfigErrors] all.
type ConfigError struct {
	// Field is the Go name of the setting, such as "Config.Auth.UserPoolID".
	Field string
	// Value is what the setting says. It is empty for secrets.
	Value string
	// Problem says what is wrong with it, and what to write instead.
	Problem string

	name string // of Amplify JS's error for this fault, if it has one
}

// Error returns the field, its value and the problem.
func (e *ConfigError) Error() string {
	if e.Value == "" {
		return e.Field + ": " + e.Problem
	}
	return fmt.Sprintf("%s %q: %s", e.Field, e.Value, e.Problem)
}

// ConfigErrors returns all faults that err, an error of [New] or [Config.Validate], reports.
func ConfigErrors(err error) []*ConfigError {
	var all faults
	errors.As(err, &all)
	return slices.Clone(all)
}

// faults are the faults found so far. As an error they are one line.
type faults []*ConfigError

func (f *faults) add(field, value, format string, a ...any) {
	if strings.Contains(value, "@") {
		value = "" // an address may hold a password
	}
	*f = append(*f, &ConfigError{Field: field, Value: value, Problem: fmt.Sprintf(format, a...)})
}

func (f faults) Error() string {
	texts := make([]string, len(f))
	for i, e := range f {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

func (f faults) Unwrap() []error {
	errs := make([]error, len(f))
	for i, e := range f {
		errs[i] = e
	}
	return errs
}

// err returns the faults as an *Error, or nil if there are none.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	e := &Error{
		Name: invalidParameter, Reason: ReasonConfiguration,
		Message:            "The settings cannot be used.",
		RecoverySuggestion: "Correct the settings named, or generate the outputs anew (npx ampx generate outputs).",
		Err:                f,
	}
	if f[0].name != "" {
		e.Name = f[0].name
	}
	return e
}

// Validate reports every fault of the configuration at once, as an [*Error] with [ReasonConfiguration] and the
// name that Amplify JS gives the first of them. It looks at what is there: that a
// part is missing shows where it is needed.
func (c Config) Validate() error {
	return c.faults().err()
}

// A region or a name of that form, "_", and an identifier: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html
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
	for _, part := range []string{"version", "auth", "data", "storage"} {
		if _, ok := c.Other[part]; ok {
			f.add("Config.Other", part, "looks like amplify_outputs.json, but its version is not 1 or 1.x, so that it was not read as such: "+
				"generate it anew, or update this library")
			break
		}
	}
	return f
}

func (a *AuthConfig) faults() (f faults) {
	switch {
	case a.UserPoolID == "":
	case !matches(userPoolID, a.UserPoolID):
		f.add("Config.Auth.UserPoolID", a.UserPoolID, `is not the id of a user pool, such as "eu-west-1_Abc123456"`)
		f[len(f)-1].name = "InvalidUserPoolId"
	}
	switch {
	case a.UserPoolID == "" && a.UserPoolClientID != "":
		f.add("Config.Auth.UserPoolID", "", "is empty, and yet there is an app client: give the pool that it belongs to")
		f[len(f)-1].name = "AuthUserPoolException"
	case a.UserPoolID != "" && a.UserPoolClientID == "":
		f.add("Config.Auth.UserPoolClientID", "", "is empty, and yet there is a user pool: give the id of an app client of it")
		f[len(f)-1].name = "AuthUserPoolException"
	case a.UserPoolClientID != "" && !matches(userPoolClientID, a.UserPoolClientID):
		f.add("Config.Auth.UserPoolClientID", a.UserPoolClientID, "is not the id of an app client: those have letters and digits only")
	}
	if a.IdentityPoolID != "" && !matches(identityPoolID, a.IdentityPoolID) {
		f.add("Config.Auth.IdentityPoolID", a.IdentityPoolID,
			`is not the id of an identity pool, such as "eu-west-1:11111111-2222-3333-4444-555555555555"`)
		f[len(f)-1].name = "InvalidIdentityPoolIdException"
	}
	f.url("Config.Auth.UserPoolEndpoint", a.UserPoolEndpoint)
	f.url("Config.Auth.IdentityPoolEndpoint", a.IdentityPoolEndpoint)
	if o := a.OAuth; o != nil {
		if u, err := url.Parse("https://" + o.Domain); err != nil || o.Domain == "" || u.Host != o.Domain {
			f.add("Config.Auth.OAuth.Domain", o.Domain, `is not a host: write "<prefix>.auth.<region>.amazoncognito.com" or your own domain, without https://`)
		}
		for _, redirects := range []struct {
			field     string
			addresses []string
		}{{"RedirectSignIn", o.RedirectSignIn}, {"RedirectSignOut", o.RedirectSignOut}} {
			for i, address := range redirects.addresses {
				// Which of them a server can use depends on its origin; others belong to mobile apps (myapp://).
				if u, err := url.Parse(address); err != nil || address == "" || u.Fragment != "" {
					f.add(fmt.Sprintf("Config.Auth.OAuth.%s[%d]", redirects.field, i), address,
						"is not a URL without a fragment, as RFC 6749 §3.1.2 asks for")
				}
			}
		}
	}
	return f
}

// url adds a fault if s is there and not the address of a service.
func (f *faults) url(field, s string) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		f.add(field, s, `is not a URL such as "https://example.com" or "http://localhost:9000"`)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		f.add(field, s, "has a user, a query or a fragment: leave it out")
	}
}

package data

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/amplify-go/amplify"
)

// AuthMode says how the API is told who is calling.
type AuthMode string

// The auth modes have the names of Amplify JS. Its older name of AuthIdentityPool, "iam", is
// understood too.
const (
	// AuthAPIKey sends the API key of the configuration or of [Options].
	AuthAPIKey AuthMode = "apiKey"
	// AuthUserPool sends the access token of the session. Without a session the call fails.
	AuthUserPool AuthMode = "userPool"
	// AuthIdentityPool signs the call with the AWS credentials of the user, or of a guest if the
	// identity pool allows guests.
	AuthIdentityPool AuthMode = "identityPool"
	// AuthOIDC sends the access token of the session, or the AuthToken of another OpenID Connect
	// provider.
	AuthOIDC AuthMode = "oidc"
	// AuthLambda sends the AuthToken, which an authorizer function of the API judges.
	AuthLambda AuthMode = "lambda"
	// AuthNone sends nothing but the headers of [Options].
	AuthNone AuthMode = "none"

	authIAM AuthMode = "iam"
)

var authModes = []AuthMode{
	AuthAPIKey, AuthUserPool, AuthIdentityPool, AuthOIDC, AuthLambda, AuthNone, authIAM,
}

// Options are what a client of Amplify JS has: how to authorize a call, what to send with it and
// where to. An empty field is taken from the Options around these: those of a call fall back to
// those of its model or operation, then to those of the App (see [Configure]), then to the
// configuration.
type Options struct {
	// AuthMode says how the call is authorized. If no Options and no configuration say so, it is
	// AuthIdentityPool.
	AuthMode AuthMode
	// AuthToken is sent as the Authorization header, in place of the session's token. It belongs to
	// an auth mode: Options that name an AuthMode do not take it over from those around them. It
	// is an error beside AuthIdentityPool, which signs.
	AuthToken amplify.Secret
	// IDToken sends the ID token of the session instead of its access token. Rules of a model may
	// want claims that only the ID token has, such as custom attributes. Like AuthToken it belongs
	// to an auth mode.
	IDToken bool
	// APIKey is the key for AuthAPIKey.
	APIKey amplify.Secret

	// Endpoint is the URL of another GraphQL API. Options that name one take nothing over from
	// those around them or from the API of the configuration, so that what is meant for one API is
	// not sent to another. They must have an AuthMode, and for AuthAPIKey an APIKey.
	Endpoint string
	// Region is the AWS region of Endpoint, for AuthIdentityPool. The default is the region of the
	// configuration's API.
	Region string

	// Headers are sent with the call. They replace headers of the same name, also the one that the
	// auth mode sets: a call with an Authorization header is not signed. Headers or HeadersFunc of
	// a call replace both of its model. Headers of the App are sent too unless they have the same
	// name. Headers that belong to the connection, such as Host and Content-Length, are an error:
	// do not pass on all headers of a request.
	Headers http.Header
	// HeadersFunc returns headers that depend on the call. They win over Headers. It may be called
	// by many goroutines at once. The call fails with its error.
	HeadersFunc func(context.Context, HeadersInput) (http.Header, error)
}

// HeadersInput is the input of Options.HeadersFunc: the request that is about to be sent.
type HeadersInput struct {
	Method, URL string
	// Query is the GraphQL document.
	Query string
}

// over returns o with its empty fields taken from base, except for what belongs together.
func (o Options) over(base Options) Options {
	if o.Endpoint != "" {
		return o
	}
	if o.AuthMode == "" {
		o.AuthMode = base.AuthMode
		if o.AuthToken.IsZero() {
			o.AuthToken = base.AuthToken
		}
		o.IDToken = o.IDToken || base.IDToken
	}
	if o.APIKey.IsZero() {
		o.APIKey = base.APIKey
	}
	o.Endpoint, o.Region = base.Endpoint, cmp.Or(o.Region, base.Region)
	if o.Headers == nil && o.HeadersFunc == nil {
		o.Headers, o.HeadersFunc = base.Headers, base.HeadersFunc
	}
	return o
}

// frozen returns o with a copy of its headers: what is kept must not change with the caller's map.
func (o Options) frozen() Options {
	o.Headers = o.Headers.Clone()
	return o
}

// faults returns what is wrong with o, whatever o falls back to.
func (o Options) faults() (faults []*amplify.ConfigError) {
	add := func(field, value, problem string) {
		faults = append(faults, &amplify.ConfigError{
			Field: "Options." + field, Value: value, Problem: problem,
		})
	}
	if o.AuthMode != "" && !slices.Contains(authModes, o.AuthMode) {
		add("AuthMode", string(o.AuthMode), fmt.Sprintf("is not one of %q", authModes))
	}
	if o.AuthMode.signs() && !o.AuthToken.IsZero() {
		add("AuthToken", "", "cannot be sent by AuthIdentityPool, which signs: leave it out, or "+
			"choose another AuthMode")
	}
	if o.Endpoint == "" {
		if o.Region != "" {
			add("Region", o.Region, "is the region of an Endpoint, and there is none")
		}
		return faults
	}
	switch u, err := url.Parse(o.Endpoint); {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil:
		// Its text is left out: it may hold a password.
		add("Endpoint", "", `is not a URL such as "https://example.com/graphql", without a user`)
	case o.AuthMode == "":
		add("AuthMode", "", "is empty, and yet there is an Endpoint: say how to authorize there")
	case o.AuthMode == AuthAPIKey && o.APIKey.IsZero():
		add("APIKey", "", "is empty, and yet AuthAPIKey is to be used at an Endpoint: give its key")
	}
	return faults
}

func (m AuthMode) signs() bool { return m == AuthIdentityPool || m == authIAM }

// Configure sets the options of app, on which all calls fall back. It returns an error if they have
// faults (see [amplify.ConfigErrors]), and if app has been configured or has made a call of this
// package before: call it where the App is made. Applications that are content with the
// configuration need not.
func Configure(app *amplify.App, o Options) error {
	if err := amplify.NewConfigError(o.faults()...); err != nil {
		return err
	}
	configured := false
	_, err := amplify.Shared(app, func(app *amplify.App) (*service, error) {
		configured = true
		return newService(app, o.frozen()), nil
	})
	if err == nil && !configured {
		return &amplify.Error{
			Name: "AmplifyDataError", Reason: amplify.ReasonConfiguration,
			Message:            "Data has been configured or used before.",
			RecoverySuggestion: "Call data.Configure once, where the App is made.",
		}
	}
	return err
}

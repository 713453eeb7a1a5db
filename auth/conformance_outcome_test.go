package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/amplify-go/amplify"
)

// errorOutcome is an error in the shape of the recordings.
type errorOutcome struct {
	Name               string `json:"name"`
	Message            string `json:"message"`
	RecoverySuggestion string `json:"recoverySuggestion,omitempty"`
	// UnderlyingError is the cause. Its message is the JavaScript engine's.
	UnderlyingError *struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"underlyingError,omitempty"`
	// Reason is ours. Only rules expect it.
	Reason amplify.Reason `json:"reason,omitempty"`
}

func failed(err error) outcome {
	var e *amplify.Error
	if !errors.As(err, &e) {
		return outcome{Error: &errorOutcome{Name: "Error", Message: err.Error()}}
	}
	o := &errorOutcome{Name: e.Name, Message: e.Message, RecoverySuggestion: e.RecoverySuggestion, Reason: amplify.ReasonOf(e)}
	if errors.Is(e.Err, syscall.ECONNRESET) {
		o.UnderlyingError = &struct {
			Name    string `json:"name"`
			Message string `json:"message"`
		}{"TypeError", "fetch failed"} // what the original calls a broken connection
	}
	return outcome{Error: o}
}

// engineErrors are the errors of JavaScript engines. They are read as "fails": README.md,
// "Conventions of all files". One that the operation itself returns comes back as it is.
var engineErrors = map[string]bool{"SyntaxError": true, "TypeError": true, "RangeError": true}

// wording is the text of an error.
type wording struct{ Name, Message, RecoverySuggestion string }

// ourWording are errors of which we say the same in other words, since the original's speak of
// JavaScript, or with a suggestion.
var ourWording = map[wording]wording{
	{
		"AuthUserPoolException", "Auth UserPool not configured.",
		"Make sure to call Amplify.configure in your app with userPoolId and userPoolClientId.",
	}: {
		"AuthUserPoolException", "Auth UserPool not configured.",
		"Make sure the configuration of the App has Auth.UserPoolID and Auth.UserPoolClientID.",
	},
	{
		"NoAmplifyContextError",
		"No AmplifyContext available. Call Amplify.configure() to set a global context, or pass a context as the first argument.",
		"Call Amplify.configure() before using this API, or pass an AmplifyContext created via createAmplifyContext() as the first argument.",
	}: noContext,
	{
		"NoAmplifyContextError", "Undefined AmplifyContext passed. Call configure() first or omit the parameter.",
		"Call Amplify.configure() before using this API, or pass an AmplifyContext created via createAmplifyContext() as the first argument.",
	}: noContext,
	{"NoCredentials", "Credentials should not be empty.", ""}: {
		"NoCredentials", "Credentials should not be empty.",
		"Make sure that the configuration has an identity pool, and that the request is signed in with cookies or the identity pool allows guests.",
	},
	{"NoIdentityId", "Missing identity ID when accessing objects in protected or private access level.", ""}: {
		"NoIdentityId", "Missing identity ID when accessing objects in protected or private access level.",
		"Make sure that the configuration has an identity pool, and that the request is signed in or the identity pool allows guests.",
	},
	{"NoBucket", "Missing bucket name while accessing object.", ""}: {
		"NoBucket", "Missing bucket name while accessing object.",
		"Make sure that the configuration has Storage.Bucket, or name a bucket in the call.",
	},
	{"NoRegion", "Missing region while accessing object.", ""}: {
		"NoRegion", "Missing region while accessing object.", "Make sure that the configuration has Storage.Region.",
	},
	{
		"AmplifyServerContextError", "Attempted to get the Amplify Server Context that may have been destroyed.",
		"Ensure always call Amplify APIs within `runWithAmplifyServerContext` function, and do not attempt to reuse `contextSpec` object.",
	}: closedContext,
	{"InvalidUserPoolId", "Invalid user pool id provided.", ""}: {
		"InvalidUserPoolId", "Invalid user pool id provided.",
		"Correct the settings named, or generate the outputs again (npx ampx generate outputs).",
	},
	{
		"AmplifyServerContextError", "Could not find the AMPLIFY_APP_ORIGIN environment variable.",
		"Add the AMPLIFY_APP_ORIGIN environment variable to the `.env` file of your Next.js project.",
	}: settings("AmplifyServerContextError"),
}

// settings is the error for settings that cannot be used. Its cause says which and why.
func settings(name string) wording {
	return wording{
		name, "The settings cannot be used.",
		"Correct the settings named, or generate the outputs again (npx ampx generate outputs).",
	}
}

// Errors that several cases and rules share.
var (
	noContext = wording{
		"NoAmplifyContextError", "The context carries no Amplify server context.",
		"Call Amplify APIs with the context of a request that passed through the runner's Middleware, or inside RunWithServerContext: " +
			"c.Context() with Fiber, c.Request.Context() with Gin.",
	}
	closedContext = wording{
		"AmplifyServerContextError", "Attempted to use a server context whose operation has returned.",
		"Call Amplify APIs only inside the operation of RunWithServerContext, or before the handler below Middleware returns, and do not keep its context.",
	}
	unauthenticated = wording{
		"UserUnAuthenticatedException", "User needs to be authenticated to call this API.", "Sign in before calling this API again.",
	}
)

// hints are the suggestions that we add to what services say, by the beginning of the target and
// the name of the error. The original has none.
var hints = map[string]map[string]string{
	"AWSCognitoIdentityService.": {
		"NotAuthorizedException":                    "Check that the identity pool trusts the user pool and the app client, and allows guests if Auth.AllowGuestAccess says so.",
		"ResourceNotFoundException":                 "Check the id of the identity pool.",
		"InvalidIdentityPoolConfigurationException": "Give the identity pool roles for its users and guests, with a trust policy that names the identity pool.",
	},
	"AWSCognitoIdentityProviderService.GetTokensFromRefreshToken": {
		"ResourceNotFoundException": "Check the ids of the user pool and the app client.",
	},
}

// hint returns our suggestion for an error that the last call, of this target, has yielded.
func hint(target, name string) string {
	for begin, byName := range hints {
		if strings.HasPrefix(target, begin) {
			return byName[name]
		}
	}
	return ""
}

// sameError compares errors. A recorded error is compared in our wording. last is the target of the
// last call to a service.
func sameError(want, got *errorOutcome, last string) error {
	if engineErrors[want.Name] && got.Name != want.Name {
		return nil
	}
	w := wording{want.Name, want.Message, want.RecoverySuggestion}
	if ours, ok := ourWording[w]; ok {
		w = ours
	} else if w.RecoverySuggestion == "" {
		w.RecoverySuggestion = hint(last, w.Name)
	}
	if g := (wording{got.Name, got.Message, got.RecoverySuggestion}); g != w {
		return fmt.Errorf("failed with %#v (%s), recorded is %#v", g, got.Reason, w)
	}
	if want.Reason != "" && got.Reason != want.Reason {
		return fmt.Errorf("failed because of %q, not %q", got.Reason, want.Reason)
	}
	if w, g := want.cause(), got.cause(); w != g {
		return fmt.Errorf("the cause is %q, recorded is %q", g, w)
	}
	return nil
}

// cause returns the name of the underlying error.
func (e *errorOutcome) cause() string {
	if e.UnderlyingError == nil {
		return ""
	}
	return e.UnderlyingError.Name
}

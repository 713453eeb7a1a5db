package userpool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// The rules in this file are those of the Developer Guide, "Pre token generation Lambda trigger".

// sessionEvent describes the tokens of a session to the hook.
func sessionEvent(source pretoken.TriggerSource, s *store.Session, u *User,
	metadata map[string]string) pretoken.Event {
	attributes := maps.Clone(u.Attributes)
	attributes["sub"], attributes["cognito:user_status"] = u.Sub, string(u.Status)
	return pretoken.Event{
		TriggerSource: source, ClientID: s.ClientID,
		UserName: u.Username, UserAttributes: attributes, Groups: groupClaims(u.Groups),
		Scopes: accessScopes(s), ClientMetadata: metadata,
	}
}

// preToken asks the hook for changes to the tokens of an event. It refuses with
// [UserLambdaValidation] if the hook fails, and with [InvalidLambdaResponse] if a claim has a value
// that cannot be in a token. It runs outside of transactions, because the hook may take its time,
// and may call the sandbox.
func (p *Pool) preToken(
	ctx context.Context, e pretoken.Event,
) (changes pretoken.Response, err error) {
	if p.cfg.PreToken == nil {
		return changes, nil
	}
	e.Region, e.UserPoolID = p.cfg.Region, p.cfg.ID
	e.Scopes, e.ClientMetadata = slices.Clone(e.Scopes), maps.Clone(e.ClientMetadata)
	changes, err = p.callHook(ctx, e)
	if err != nil {
		const message = "PreTokenGeneration failed with error %v."
		return pretoken.Response{}, refuse(UserLambdaValidation, message, err)
	}
	for _, c := range []*pretoken.Claims{&changes.IDToken, &changes.AccessToken} {
		if c.Add, err = jsonValues(c.Add); err != nil {
			return pretoken.Response{}, refuse(InvalidLambdaResponse, "%v.", err)
		}
	}
	return changes, nil
}

// callHook calls the hook. A panic becomes an error, as with AWS Lambda.
func (p *Pool) callHook(ctx context.Context, e pretoken.Event) (_ pretoken.Response, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			p.cfg.Logger.ErrorContext(ctx, "sandbox: the pre-token hook panicked",
				"reason", reason, "stack", string(debug.Stack()))
			err = errors.New("the hook panicked, see the log of the sandbox")
		}
	}()
	return p.cfg.PreToken(ctx, e)
}

// jsonValues returns the claims with the values that are in JSON: strings, booleans,
// numbers, slices and maps. They are copies, because the hook may go on using its own.
func jsonValues(claims map[string]any) (map[string]any, error) {
	values := map[string]any{}
	for name, v := range claims {
		text, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(text, new(any)) // a json.Number can be too large for readers
		}
		if err != nil {
			return nil, fmt.Errorf("the claim %q is no JSON: %w", name, err)
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber() // keeps the digits
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if value == nil {
			return nil, fmt.Errorf("the claim %q is null", name)
		}
		values[name] = value
	}
	return values, nil
}

// changeAccess applies the changes to the claims of an
// access token with these scopes. It returns its new scopes.
func (p *Pool) changeAccess(claims jwt.MapClaims, scopes []string,
	changes pretoken.Response) []string {
	var kept []string
	changed := slices.Clone(scopes)
	for _, scope := range changes.AddScopes {
		switch {
		case scope == "", strings.ContainsFunc(scope, unicode.IsSpace),
			strings.HasPrefix(scope, "aws.cognito"):
			kept = append(kept, scope)
		case !slices.Contains(changed, scope):
			changed = append(changed, scope)
		}
	}
	changed = slices.DeleteFunc(changed, func(scope string) bool {
		return slices.Contains(changes.SuppressScopes, scope)
	})
	if len(changed) == 0 {
		delete(claims, "scope")
	} else {
		claims["scope"] = strings.Join(changed, " ")
	}
	add := maps.Clone(changes.AccessToken.Add)
	if aud, ok := add["aud"]; ok && aud == claims["client_id"] {
		claims["aud"] = aud
		delete(add, "aud")
	}
	for name, value := range add {
		if protected(name) || strings.HasPrefix(name, "dev:") {
			kept = append(kept, name)
		} else {
			claims[name] = value
		}
	}
	p.warn("access", append(kept, suppress(claims, changes.AccessToken.Suppress)...))
	return changed
}

// changeID applies the changes to the claims of an ID token.
func (p *Pool) changeID(claims jwt.MapClaims, changes pretoken.Response) {
	var kept []string
	for name, value := range changes.IDToken.Add {
		text, isText := value.(string)
		switch {
		case protected(name) || strings.HasPrefix(name, "dev:") || simple(name) && composite(value):
			kept = append(kept, name)
		case isText:
			claims[name] = claimValue(name, text)
		default:
			claims[name] = value
		}
	}
	p.warn("id", append(kept, suppress(claims, changes.IDToken.Suppress)...))
}

// suppress deletes claims. It returns the names of those that must stay.
func suppress(claims jwt.MapClaims, names []string) (kept []string) {
	for _, name := range names {
		switch {
		case name == "cognito:groups":
			for _, name := range []string{name, "cognito:roles", "cognito:preferred_role"} {
				delete(claims, name)
			}
		case protected(name):
			kept = append(kept, name)
		default:
			delete(claims, name)
		}
	}
	return kept
}

// protected reports whether a claim can be neither added nor changed nor suppressed by its name.
func protected(name string) bool {
	switch name {
	case "acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id",
		"exp", "iat", "identities", "iss", "jti", "nbf", "nonce", "origin_jti", "scope", "sub",
		"token_use", "username", "version":
		return true
	}
	return strings.HasPrefix(name, "cognito:")
}

// simple reports whether a claim of an ID token cannot be an object or an array.
func simple(name string) bool {
	switch name {
	case "phone_number_verified", "email_verified", "updated_at", "address":
		return true
	}
	return false
}

// composite reports whether a value of [jsonValues] is an object or an array.
func composite(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// warn logs what a token has kept in spite of the hook.
func (p *Pool) warn(use string, kept []string) {
	if len(kept) > 0 {
		slices.Sort(kept)
		p.cfg.Logger.Warn("sandbox: the pre-token hook cannot change these claims and scopes",
			"token", use, "names", kept)
	}
}

package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/storageaccess"
)

// Names that Amplify JS gives errors of this package.
const (
	invalidInput = "InvalidStorageOperationInput"
	invalidPath  = "InvalidStoragePathInput"
	accessDenied = "AccessDenied"
)

func errNoIdentity() error {
	return &amplify.Error{
		Name:    "NoIdentityId",
		Message: "Missing identity ID when accessing objects in protected or private access level.",
		RecoverySuggestion: "Make sure that the configuration has an identity pool, and that the " +
			"request is signed in or the identity pool allows guests.",
	}
}

// errUnknown is the error of Amplify JS for an answer that cannot be right.
func errUnknown(cause error) *amplify.Error {
	return &amplify.Error{
		Name: "Unknown", Message: "An unknown error has occurred.",
		RecoverySuggestion: "This may be a bug. Please reach out to library authors.", Err: cause,
	}
}

// headNames are the names of S3's errors by those that the SDK makes of the status, where an answer
// has no body to tell.
var headNames = map[string]string{
	"Forbidden": accessDenied, "MovedPermanently": "PermanentRedirect",
}

// headBadRequest may mean that the credentials have expired: an answer to HEAD cannot say so.
const headBadRequest = "BadRequest"

// serviceError translates an error of a call.
func serviceError(err error) *amplify.Error {
	e := awsapi.Error(err)
	var answered smithy.APIError
	if errors.As(err, &answered) {
		if name, ok := headNames[e.Name]; ok {
			e.Name = name
		}
		if e.Message == "" {
			e.Message = e.Name
		}
	}
	switch e.Name {
	case "PermanentRedirect":
		e.Reason = amplify.ReasonConfiguration
		e.RecoverySuggestion = "The bucket is in another region than the configuration says: " +
			"correct the region."
	case "NoSuchBucket":
		e.Reason = amplify.ReasonConfiguration
		e.RecoverySuggestion = "Correct the name of the bucket, or generate the outputs again " +
			"(npx ampx generate outputs)."
	}
	return e
}

// explain adds to an AccessDenied what the outputs say about the rights that the call needs.
func (t *target) explain(ctx context.Context, e *amplify.Error, rights []right) {
	if e.Name != accessDenied {
		return
	}
	caller := t.caller(ctx)
	var allowed []string
	for _, r := range rights {
		name, paths := t.rules(r.at.bucket)
		if len(paths) == 0 {
			e.RecoverySuggestion = fmt.Sprintf("The configuration has no access rules for the "+
				"bucket %q: look at the policies of the role of %s.", r.at.bucket, caller)
			return
		}
		v := storageaccess.Check(paths, caller, r.action, r.key)
		if !v.Allowed {
			e.Reason = amplify.ReasonNoAccessRule
			e.RecoverySuggestion = refusal(name, paths, caller, r, v)
			return
		}
		allowed = append(allowed,
			fmt.Sprintf("%q allows %s to %s %q", v.Pattern, caller, r.action, r.key))
	}
	e.Reason = amplify.ReasonMissingOrForbidden
	e.RecoverySuggestion = "By the outputs, " + strings.Join(allowed, ", and ") + ". "
	if rights[0].action == storageaccess.Get {
		e.RecoverySuggestion += "The object may not exist: S3 refuses calls for missing " +
			"objects too. "
	}
	e.RecoverySuggestion += "The outputs may not be those of the deployed backend."
}

// refusal tells why the rules of a bucket do not allow r, and which of them come near.
func refusal(
	bucket string, paths []amplify.PathAccess, caller storageaccess.Caller, r right,
	v storageaccess.Verdict,
) string {
	s := fmt.Sprintf("No rule for the bucket %q in the outputs allows %s to %s %q.",
		bucket, caller, r.action, r.key)
	if v.Pattern != "" {
		return s + fmt.Sprintf(" The path %q takes that away.", v.Pattern)
	}
	if r.action == storageaccess.List &&
		storageaccess.Check(paths, caller, r.action, r.key+"/").Allowed {
		return s + fmt.Sprintf(" Write %q, with the slash.", r.key+"/")
	}
	var others []string
	for _, path := range paths {
		if who := storageaccess.Others(path, caller, r.action, r.key); len(who) > 0 {
			others = append(others,
				fmt.Sprintf("%q allows it to %s", path.Pattern, strings.Join(who, ", ")))
		}
	}
	if len(others) == 0 {
		return s + " No path covers it."
	}
	return s + " The path " + strings.Join(others, ", and ") + "."
}

// rules returns the friendly name and the access rules of a bucket of S3.
func (c *call) rules(bucket string) (name string, paths []amplify.PathAccess) {
	if s := c.app.Config().Storage; s != nil {
		for name, b := range s.Buckets {
			if b.Name == bucket {
				return name, b.Paths
			}
		}
	}
	return "", nil
}

// caller returns who calls, as the rules see it. A user has one role. It is that of a group if the
// user pool has chosen one (cognito:preferred_role): that of the user's group with the lowest
// precedence.
func (c *call) caller(ctx context.Context) storageaccess.Caller {
	caller := storageaccess.Caller{IdentityID: c.identityID()}
	tokens, err := c.server.Tokens(ctx, amplify.TokensInput{})
	if err != nil {
		return caller
	}
	caller.SignedIn = true
	var claims struct {
		PreferredRole string `json:"cognito:preferred_role"`
	}
	mine := tokens.IDToken.Claims().Groups
	if tokens.IDToken.Decode(&claims) != nil || claims.PreferredRole == "" || len(mine) == 0 {
		return caller
	}
	caller.Group = mine[0]
	if auth := c.app.Config().Auth; auth != nil {
		precedence := -1
		for _, g := range auth.Groups {
			if slices.Contains(mine, g.Name) && (precedence < 0 || g.Precedence < precedence) {
				caller.Group, precedence = g.Name, g.Precedence
			}
		}
	}
	return caller
}

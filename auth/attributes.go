package auth

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/cognitoapi"
)

// UserAttributes are the attributes of a user, by name, such as "email", "email_verified" or
// "custom:plan". All values are strings, as in the user pool.
type UserAttributes map[string]string

// adminScope is the scope that an access token needs for access to the user's own data (Amazon
// Cognito Developer Guide, "Scopes, M2M, and resource servers").
const adminScope = "aws.cognito.signin.user.admin"

// FetchUserAttributes returns the attributes of the request's user. If the request is not signed
// in, the error matches [amplify.ErrUnauthenticated].
//
// It asks the user pool. So it returns attributes that changed after the sign-in, and fails if the
// access token was revoked. The call needs the scope "aws.cognito.signin.user.admin", which access
// tokens from managed login often lack. Without the scope the attributes come from the ID token.
// That holds the attributes that the app client may read, as they were when it was issued.
func FetchUserAttributes(ctx context.Context) (UserAttributes, error) {
	t, err := tokens(ctx, amplify.TokensInput{})
	if err != nil {
		return nil, err
	}
	if scopes := t.AccessToken.Claims().Scopes; len(scopes) > 0 && !slices.Contains(scopes, adminScope) {
		if t.IDToken == nil {
			return nil, &amplify.Error{
				Name:               "NotAuthorizedException",
				Reason:             amplify.ReasonMissingScope,
				Message:            "The access token lacks the scope " + adminScope + ", and there is no ID token.",
				RecoverySuggestion: "Add the scope to the app client's and to the sign-in's scopes.",
			}
		}
		return idTokenAttributes(t.IDToken)
	}
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		return nil, err
	}
	client, err := cognitoapi.UserPool(sc.App())
	if err != nil {
		return nil, err
	}
	out, err := client.GetUser(ctx, &cognitoidentityprovider.GetUserInput{AccessToken: aws.String(t.AccessToken.Reveal())})
	if err != nil {
		return nil, awsapi.Error(err)
	}
	attributes := UserAttributes{}
	for _, a := range out.UserAttributes {
		attributes[aws.ToString(a.Name)] = aws.ToString(a.Value)
	}
	return attributes, nil
}

// standardAttributes are the claims of an ID token that are attributes: those of OpenID Connect
// Core §5.1, and identities, which lists linked providers. Claims that begin with "custom:" are
// attributes, too. All others describe the token.
var standardAttributes = []string{
	"address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "identities", "locale",
	"middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture", "preferred_username", "profile",
	"sub", "updated_at", "website", "zoneinfo",
}

func idTokenAttributes(id *amplify.Token) (UserAttributes, error) {
	var claims map[string]json.RawMessage
	if err := id.Decode(&claims); err != nil {
		return nil, err
	}
	attributes := UserAttributes{}
	for name, value := range claims {
		if strings.HasPrefix(name, "custom:") || slices.Contains(standardAttributes, name) {
			attributes[name] = attributeText(value)
		}
	}
	return attributes, nil
}

// attributeText returns the string that GetUser returns for a claim. Three kinds of claims are not
// strings: the verified flags, the address, whose string is in "formatted", and identities.
func attributeText(claim json.RawMessage) string {
	var v any
	if json.Unmarshal(claim, &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		if s, ok := v["formatted"].(string); ok {
			return s
		}
	}
	return string(claim)
}

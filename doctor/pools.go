package doctor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/cognitoapi"
	"github.com/amplify-go/amplify/internal/partition"
)

// madeUp is what calls carry in place of a secret. It is nobody's.
const madeUp = "amplify-go-doctor"

// Names of AWS errors.
const (
	notFound      = "ResourceNotFoundException"
	notAuthorized = "NotAuthorizedException"
)

// appClient examines whether the app client exists. It asks to redeem a refresh token that nobody
// was given: the answer to an unknown client is ResourceNotFoundException, and to a known one that
// the token, or before it the secret, is wrong (NotAuthorizedException). See
// GetTokensFromRefreshToken in the Amazon Cognito user pools API reference.
func (e *examination) appClient(ctx context.Context) {
	id := e.cfg.Auth.UserPoolClientID
	region, _, _ := strings.Cut(e.cfg.Auth.UserPoolID, "_")
	client, err := cognitoapi.UserPool(e.app)
	if err != nil {
		e.fault("app-client", Problem, err)
		return
	}
	in := &cognitoidentityprovider.GetTokensFromRefreshTokenInput{
		ClientId: aws.String(id), RefreshToken: aws.String(madeUp),
	}
	secret := e.in.Options.Cognito.ClientSecret
	if !secret.IsZero() {
		in.ClientSecret = aws.String(secret.Reveal())
	}
	_, err = client.GetTokensFromRefreshToken(ctx, in)
	refusal := awsapi.Error(err)
	switch {
	case err == nil:
		e.problem("app-client", "", "The user pool accepts any refresh token.")
	case refusal.Name == notFound:
		e.clientUnknown = true
		e.problem("app-client", "Generate the outputs again (npx ampx generate outputs): "+
			"the client may have been replaced by a deployment.",
			"There is no app client %s in %s.", id, region)
	case refusal.Name == notAuthorized && strings.Contains(strings.ToLower(refusal.Message), "secret"):
		message := "The app client has a secret, and none is given."
		if !secret.IsZero() {
			message = "The secret is not that of the app client, or the client has none."
		}
		e.problem("app-client", "Give the client's secret as Options.Cognito.ClientSecret, "+
			"or leave it out if the client has none.", "%s", message)
	case refusal.Name == notAuthorized:
		e.ok("app-client", "The app client exists.")
	default:
		e.warn("app-client", "", "Whether the app client exists cannot be told: %s.", e.unanswered(refusal))
	}
}

// unanswered says why a service did not give an answer to go by.
func (e *examination) unanswered(refusal *amplify.Error) string {
	switch {
	case refusal.Name == "NetworkError" && refusal.Err != nil:
		return e.describe(refusal.Err)
	case refusal.Name == "Unknown":
		return "the answer is none of Cognito's"
	}
	return refusal.Name
}

// identityPool examines where AWS credentials come from. It asks for the identity of a user with a
// token that nobody signed. No identity is made for that, and the answer tells whether the pool
// exists (ResourceNotFoundException if not) and whether it trusts the user pool. See
// https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html
func (e *examination) identityPool(ctx context.Context) {
	auth := e.cfg.Auth
	if auth.IdentityPoolID == "" {
		e.ok("identity-pool", "There is none: users get no AWS credentials.")
		return
	}
	client, err := cognitoapi.IdentityPool(e.app)
	if err != nil {
		e.fault("identity-pool", Problem, err)
		return
	}
	poolRegion, _, _ := strings.Cut(auth.UserPoolID, "_")
	suffix := partition.DNSSuffix(poolRegion)
	issuer := "cognito-idp." + poolRegion + "." + suffix + "/" + auth.UserPoolID
	_, err = client.GetId(ctx, &cognitoidentity.GetIdInput{
		IdentityPoolId: aws.String(auth.IdentityPoolID),
		Logins:         map[string]string{issuer: e.unsignedToken("https://" + issuer)},
	})
	refusal := awsapi.Error(err)
	switch {
	case err == nil:
		e.problem("identity-pool", "", "The identity pool accepts a token that nobody signed.")
	case refusal.Name == notFound:
		e.problem("identity-pool",
			"Generate the outputs again, or correct the id of the identity pool.",
			"There is no identity pool %s.", auth.IdentityPoolID)
	case refusal.Name == notAuthorized && !e.clientUnknown &&
		strings.Contains(refusal.Message, "not from a supported provider"):
		e.problem("identity-pool",
			"Add user pool and app client to the identity providers of the identity pool.",
			"The identity pool does not accept users of this user pool and app client.")
	case refusal.Name == notAuthorized, refusal.Name == "InvalidParameterException":
		guests := "guests get none"
		if auth.AllowGuestAccess {
			guests = "guests get them too"
		}
		e.ok("identity-pool", "%s gives users AWS credentials, %s.", auth.IdentityPoolID, guests)
	case refusal.Name == "NetworkError":
		e.problem("identity-pool", "Check the id of the identity pool, which begins with its region, "+
			"and that this machine reaches the internet.",
			"%s cannot be reached: %s.", hostOf(e.app.Endpoints().IdentityPool), e.unanswered(refusal))
	default:
		e.warn("identity-pool", "", "Whether the identity pool exists cannot be told: %s.", e.unanswered(refusal))
	}
}

// unsignedToken returns an ID token of the app client whose signature is nonsense.
func (e *examination) unsignedToken(issuer string) string {
	part := func(v any) string {
		b, _ := json.Marshal(v) // which cannot fail
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := e.app.Now()
	return part(map[string]any{"alg": "RS256", "kid": madeUp}) + "." + part(map[string]any{
		"iss": issuer, "aud": e.cfg.Auth.UserPoolClientID, "sub": madeUp, "token_use": "id",
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}) + "." + base64.RawURLEncoding.EncodeToString([]byte(madeUp))
}

// guest asks for the credentials of a guest, if that is wanted.
func (e *examination) guest(ctx context.Context, c *cognito.Client) {
	switch auth := e.cfg.Auth; {
	case !e.in.Guest:
	case auth.IdentityPoolID == "" || !auth.AllowGuestAccess:
		e.ok("guest", "Guests get no AWS credentials: the outputs do not allow it.")
	default:
		guest := c.GuestCredentialsProvider()
		if _, err := guest.Credentials(ctx, amplify.CredentialsInput{}); err != nil {
			e.fault("guest", Problem, err)
			return
		}
		e.ok("guest", "A guest gets AWS credentials. The identity pool has one identity more.")
	}
}

package sandbox_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity/types"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	idptypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"github.com/amplify-go/amplify/sandbox"
)

// backend is a sandbox with the users ann, in the group editors, and bob, and the clients of the
// AWS SDK that speak with it.
type backend struct {
	*sandbox.Sandbox
	outputs
	users      *cognito.Client
	identities *cognitoidentity.Client
}

func startBackend(t *testing.T, change func(*sandbox.Config)) *backend {
	t.Helper()
	cfg := sandbox.Config{Users: []sandbox.User{
		{Email: "ann@example.com", Password: password, Groups: []string{"editors"}},
		{Email: "bob@example.com", Password: password},
	}}
	if change != nil {
		change(&cfg)
	}
	s := start(t, cfg)
	return &backend{s, outputsOf(t, s), sdk(s), cognitoidentity.New(cognitoidentity.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL()), Credentials: aws.AnonymousCredentials{},
		HTTPClient: wholeAnswers{http.DefaultClient}, Retryer: aws.NopRetryer{}})}
}

// signIn signs a user in.
func (b *backend) signIn(t *testing.T, username string) *idptypes.AuthenticationResultType {
	t.Helper()
	out, err := signIn(t, b.users, b.Auth.ClientID, username, password)
	if err != nil {
		t.Fatal(err)
	}
	return out.AuthenticationResult
}

// logins are the Logins of an ID token.
func (b *backend) logins(idToken *string) map[string]string {
	return map[string]string{"cognito-idp." + b.Auth.Region + ".amazonaws.com/" + b.Auth.PoolID: *idToken}
}

func (b *backend) mustGetID(t *testing.T, logins map[string]string) *string {
	t.Helper()
	out, err := b.identities.GetId(t.Context(), &cognitoidentity.GetIdInput{IdentityPoolId: &b.Auth.IdentityPoolID, Logins: logins})
	if err != nil {
		t.Fatal(err)
	}
	return out.IdentityId
}

func (b *backend) credentials(t *testing.T, id *string, logins map[string]string) (*cognitoidentity.GetCredentialsForIdentityOutput, error) {
	t.Helper()
	return b.identities.GetCredentialsForIdentity(t.Context(), &cognitoidentity.GetCredentialsForIdentityInput{IdentityId: id, Logins: logins})
}

func TestIdentityPool(t *testing.T) {
	b := startBackend(t, nil)
	guest := b.mustGetID(t, nil)
	if again := b.mustGetID(t, nil); *again == *guest {
		t.Error("two guests have one identity")
	}
	ofGuest, err := b.credentials(t, guest, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := ofGuest.Credentials
	if *ofGuest.IdentityId != *guest || !strings.HasPrefix(*c.AccessKeyId, "ASIA") || *c.SecretKey == "" || *c.SessionToken == "" {
		t.Errorf("the credentials of a guest lack something, or are of %s", *ofGuest.IdentityId)
	}
	if life := time.Until(*c.Expiration); life < 59*time.Minute || life > time.Hour {
		t.Errorf("credentials live %v, want an hour", life)
	}

	ann, bob := b.logins(b.signIn(t, "ann@example.com").IdToken), b.logins(b.signIn(t, "bob@example.com").IdToken)
	annID, bobID := b.mustGetID(t, ann), b.mustGetID(t, bob)
	if *annID == *bobID || *annID == *guest {
		t.Error("two people have one identity")
	}
	if again := b.mustGetID(t, b.logins(b.signIn(t, "ann@example.com").IdToken)); *again != *annID {
		t.Error("another sign-in gave another identity")
	}
	// A guest who signs in as a known user is answered the user's identity.
	joined, err := b.credentials(t, guest, ann)
	if err != nil || *joined.IdentityId != *annID {
		t.Errorf("joined identity %v, %v; want %s", joined, err, *annID)
	}
	// Without developer credentials there is no looking at identities.
	describe := &cognitoidentity.DescribeIdentityInput{IdentityId: annID}
	if _, err := b.identities.DescribeIdentity(t.Context(), describe); codeOf(err) != "MissingAuthenticationTokenException" {
		t.Errorf("DescribeIdentity without signature: %v", err)
	}
	identity, err := b.identities.DescribeIdentity(t.Context(), describe, func(o *cognitoidentity.Options) {
		o.Credentials = b.users.Options().Credentials
	})
	if err != nil || len(identity.Logins) != 1 || ann[identity.Logins[0]] == "" || identity.CreationDate.After(*identity.LastModifiedDate) {
		t.Errorf("DescribeIdentity: %+v, %v", identity, err)
	}
}

// No credentials for an identity that is another user's.
func TestIdentityPoolRefusals(t *testing.T) {
	b := startBackend(t, nil)
	tokens := b.signIn(t, "bob@example.com")
	ann, bob := b.logins(b.signIn(t, "ann@example.com").IdToken), b.logins(tokens.IdToken)
	annID := b.mustGetID(t, ann)
	b.mustGetID(t, bob)

	var notAuthorized *types.NotAuthorizedException
	if _, err := b.credentials(t, annID, bob); !errors.As(err, &notAuthorized) || !strings.HasPrefix(*notAuthorized.Message, "Logins don't match.") {
		t.Errorf("another's identity: %v", err)
	}
	if _, err := b.credentials(t, annID, nil); !errors.As(err, &notAuthorized) || *notAuthorized.Message != "Access to Identity '"+*annID+"' is forbidden." {
		t.Errorf("an identity without login: %v", err)
	}
	if _, err := b.credentials(t, annID, b.logins(tokens.AccessToken)); !errors.As(err, &notAuthorized) || *notAuthorized.Message != "Invalid login token. Missing a required claim: aud" {
		t.Errorf("an access token: %v", err)
	}
	var notFound *types.ResourceNotFoundException
	if _, err := b.credentials(t, aws.String("us-east-1:00000000-0000-0000-0000-000000000000"), ann); !errors.As(err, &notFound) {
		t.Errorf("an unknown identity: %v", err)
	}
	getID := func(pool string) error {
		_, err := b.identities.GetId(t.Context(), &cognitoidentity.GetIdInput{IdentityPoolId: &pool})
		return err
	}
	const other = "us-east-1:00000000-0000-0000-0000-000000000000"
	if err := getID(other); !errors.As(err, &notFound) || *notFound.Message != "IdentityPool '"+other+"' not found." {
		t.Errorf("another pool: %v", err)
	}
	for id, want := range map[string]string{
		"us-east-1_AbCd":                       `1 validation error detected: Value 'us-east-1_AbCd' at 'identityPoolId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+`,
		"":                                     `1 validation error detected: Value '' at 'identityPoolId' failed to satisfy constraint: Member must have length greater than or equal to 1`,
		"us-east-1:" + strings.Repeat("a", 46): `1 validation error detected: Value 'us-east-1:` + strings.Repeat("a", 46) + `' at 'identityPoolId' failed to satisfy constraint: Member must have length less than or equal to 55`,
	} {
		var api smithy.APIError
		if err := getID(id); !errors.As(err, &api) || api.ErrorCode() != "ValidationException" || api.ErrorMessage() != want {
			t.Errorf("id %q: %v\nwant %s", id, err, want)
		}
	}
	var invalid *types.InvalidParameterException
	if _, err := b.identities.GetOpenIdToken(t.Context(), &cognitoidentity.GetOpenIdTokenInput{IdentityId: annID, Logins: ann}); !errors.As(err, &invalid) {
		t.Errorf("the classic flow: %v", err)
	}
	_, err := b.identities.ListTagsForResource(t.Context(), &cognitoidentity.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:cognito-identity:us-east-1:1:x")})
	if codeOf(err) != "UnknownOperationException" {
		t.Errorf("an operation that the sandbox does not know: %v", err)
	}

	b.SetClockOffset(2 * time.Hour)
	if _, err := b.credentials(t, annID, ann); !errors.As(err, &notAuthorized) || !strings.HasPrefix(*notAuthorized.Message, "Invalid login token. Token expired: ") {
		t.Errorf("an expired token: %v", err)
	}
}

// TestServerSideTokenCheck: an ID token opens the identity pool until it expires. With the check it
// does so while its session is active (API Reference, CognitoIdentityProvider).
func TestServerSideTokenCheck(t *testing.T) {
	const bob = "bob@example.com"
	for check, want := range map[bool]string{false: "", true: notAuthorized} {
		b := startBackend(t, func(c *sandbox.Config) { c.ServerSideTokenCheck = check })
		ctx := t.Context()
		described, err := b.identities.DescribeIdentityPool(ctx,
			&cognitoidentity.DescribeIdentityPoolInput{IdentityPoolId: &b.Auth.IdentityPoolID},
			func(o *cognitoidentity.Options) { o.Credentials = b.users.Options().Credentials })
		if err != nil || *described.CognitoIdentityProviders[0].ServerSideTokenCheck != check {
			t.Errorf("the description: %+v, %v", described, err)
		}
		for _, end := range []struct {
			what string
			call func(tokens *idptypes.AuthenticationResultType) error
		}{
			{"a revoked session", func(tokens *idptypes.AuthenticationResultType) error {
				_, err := b.users.RevokeToken(ctx, &cognito.RevokeTokenInput{
					ClientId: &b.Auth.ClientID, Token: tokens.RefreshToken})
				return err
			}},
			{"a global sign-out", func(tokens *idptypes.AuthenticationResultType) error {
				_, err := b.users.GlobalSignOut(ctx, &cognito.GlobalSignOutInput{
					AccessToken: tokens.AccessToken})
				return err
			}},
			{"a disabled user", func(*idptypes.AuthenticationResultType) error {
				_, err := b.users.AdminDisableUser(ctx, &cognito.AdminDisableUserInput{
					UserPoolId: &b.Auth.PoolID, Username: aws.String(bob)})
				return err
			}},
			{"a deleted user", func(*idptypes.AuthenticationResultType) error {
				_, err := b.users.AdminDeleteUser(ctx, &cognito.AdminDeleteUserInput{
					UserPoolId: &b.Auth.PoolID, Username: aws.String(bob)})
				return err
			}},
		} {
			// Some of the rows before have disabled the user.
			if _, err := b.users.AdminEnableUser(ctx, &cognito.AdminEnableUserInput{
				UserPoolId: &b.Auth.PoolID, Username: aws.String(bob)}); err != nil {
				t.Fatal(err)
			}
			tokens := b.signIn(t, bob)
			logins := b.logins(tokens.IdToken)
			id := b.mustGetID(t, logins)
			if err := end.call(tokens); err != nil {
				t.Fatalf("%s: %v", end.what, err)
			}
			_, err := b.credentials(t, id, logins)
			refused(t, end.what, err, want)
		}
	}
}

func TestIdentityPoolWithoutGuests(t *testing.T) {
	with := startBackend(t, nil)
	outputs := strings.Replace(string(with.Sandbox.Outputs()), `"unauthenticated_identities_enabled": true`, `"unauthenticated_identities_enabled": false`, 1)
	b := startBackend(t, func(c *sandbox.Config) { c.Outputs = []byte(outputs) })
	_, err := b.identities.GetId(t.Context(), &cognitoidentity.GetIdInput{IdentityPoolId: &b.Auth.IdentityPoolID})
	var notAuthorized *types.NotAuthorizedException
	if !errors.As(err, &notAuthorized) || *notAuthorized.Message != "Unauthenticated access is not supported for this identity pool." {
		t.Errorf("a guest: %v", err)
	}
	b.mustGetID(t, b.logins(b.signIn(t, "ann@example.com").IdToken))
}

// codeOf is the code of an AWS error, or "".
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

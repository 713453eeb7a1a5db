package sandbox_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/internal/srp/srptest"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

const (
	limitExceeded = "LimitExceededException"
	codeMismatch  = "CodeMismatchException"
	nobody        = "nobody@example.com"
)

// Documents that many rows name.
const (
	lockoutGuide = "Developer Guide, Lockout behavior for failed sign-in attempts"
	quotasGuide  = "Developer Guide, Quotas in Amazon Cognito: code security"
)

// testClock is a clock that stands still until it is moved.
type testClock struct{ offset atomic.Int64 }

var testClockStart = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func (c *testClock) Now() time.Time {
	return testClockStart.Add(time.Duration(c.offset.Load()))
}

func (c *testClock) move(d time.Duration) { c.offset.Add(int64(d)) }

// srpAuth returns a sign-in by SRP.
func srpAuth(t *testing.T, c *cognito.Client, o outputs, name, password string) func() error {
	return func() error {
		_, poolName, _ := strings.Cut(o.Auth.PoolID, "_")
		user := srptest.NewClient(poolName)
		challenge, err := c.InitiateAuth(t.Context(), &cognito.InitiateAuthInput{
			ClientId: &o.Auth.ClientID, AuthFlow: types.AuthFlowTypeUserSrpAuth,
			AuthParameters: map[string]string{"USERNAME": name, "SRP_A": user.A()}})
		if err != nil {
			return err
		}
		p := challenge.ChallengeParameters
		block, err := base64.StdEncoding.DecodeString(p["SECRET_BLOCK"])
		if err != nil {
			return err
		}
		const timestamp = "Mon May 4 03:02:01 UTC 2026"
		claim := user.Sign(p["USER_ID_FOR_SRP"], password, p["SALT"], p["SRP_B"], block, timestamp)
		_, err = c.RespondToAuthChallenge(t.Context(), &cognito.RespondToAuthChallengeInput{
			ClientId: &o.Auth.ClientID, ChallengeName: challenge.ChallengeName,
			ChallengeResponses: map[string]string{
				"USERNAME": p["USERNAME"], "PASSWORD_CLAIM_SECRET_BLOCK": p["SECRET_BLOCK"],
				"PASSWORD_CLAIM_SIGNATURE": base64.StdEncoding.EncodeToString(claim),
				"TIMESTAMP":                timestamp}})
		return err
	}
}

// serverFlows are the flows of an app client that servers sign users in with, too.
func serverFlows() []string { return []string{allowAdminPassword, allowSRP, allowRefresh} }

// adminAuth returns a sign-in by a server.
func adminAuth(t *testing.T, c *cognito.Client, o outputs, name, password string) func() error {
	return func() error {
		_, err := c.AdminInitiateAuth(t.Context(), &cognito.AdminInitiateAuthInput{
			UserPoolId: &o.Auth.PoolID, ClientId: &o.Auth.ClientID,
			AuthFlow:       types.AuthFlowTypeAdminUserPasswordAuth,
			AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": password}})
		return err
	}
}

// says changes a call: it must be refused with this message.
func says(t *testing.T, message string, call func() error) func() error {
	return func() error {
		t.Helper()
		err := call()
		if err == nil || !strings.HasSuffix(err.Error(), message) {
			t.Errorf("refusal: %v, want %q", err, message)
		}
		return err
	}
}

// TestLockout: wrong passwords lock a user out, and anybody who does not exist as well.
func TestLockout(t *testing.T) {
	const wrong = "Wrong-1-password"
	clock := &testClock{}
	s := start(t, sandbox.Config{Clock: clock.Now,
		Clients: []sandbox.Client{{AuthFlows: serverFlows()}},
		Users:   []sandbox.User{{Email: email, Password: password}}})
	c, o := sdk(s), outputsOf(t, s)
	later := func(d time.Duration, call func() error) func() error {
		return func() error {
			clock.move(d)
			return call()
		}
	}
	for _, name := range []string{email, nobody} {
		server := func(password string) func() error { return adminAuth(t, c, o, name, password) }
		user := func(password string) func() error { return srpAuth(t, c, o, name, password) }
		incorrect := func(call func() error) func() error {
			return says(t, "Incorrect username or password.", call)
		}
		exceeded := func(call func() error) func() error {
			return says(t, "Password attempts exceeded", call)
		}
		checkAll(t, []behaviour{
			{"1st", notAuthorized, lockoutGuide, incorrect(server(wrong))},
			{"2nd", notAuthorized, lockoutGuide, incorrect(user(wrong))},
			{"3rd", notAuthorized, lockoutGuide, incorrect(server(wrong))},
			{"4th", notAuthorized, lockoutGuide, incorrect(user(wrong))},
			{"5th", notAuthorized, lockoutGuide, incorrect(server(wrong))},
			{"locked out", notAuthorized, lockoutGuide, exceeded(server(password))},
			{"locked out of SRP", notAuthorized, lockoutGuide, exceeded(user(password))},
			{"6th, a second later", notAuthorized, lockoutGuide,
				later(time.Second, incorrect(user(wrong)))},
			{"locked out for two seconds", notAuthorized, lockoutGuide,
				later(2*time.Second-time.Millisecond, exceeded(user(password)))},
		})
	}
	clock.move(time.Millisecond)
	checkAll(t, []behaviour{
		{"the right password afterwards", "", lockoutGuide, srpAuth(t, c, o, email, password)},
		{"one failure after it", notAuthorized, lockoutGuide, adminAuth(t, c, o, email, wrong)},
		{"success has reset the count", "", lockoutGuide, adminAuth(t, c, o, email, password)},
	})
}

// TestLimits: how often codes can be sent and tried.
func TestLimits(t *testing.T) {
	clock := &testClock{}
	s, ctx := start(t, sandbox.Config{Clock: clock.Now,
		Users: []sandbox.User{{Email: email, Password: password}}}), t.Context()
	c, client := sdk(s), aws.String(outputsOf(t, s).Auth.ClientID)
	tokens, err := s.Tokens(ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	const unconfirmed = "bob@example.com"
	_, err = c.SignUp(ctx, &cognito.SignUpInput{
		ClientId: client, Username: aws.String(unconfirmed), Password: aws.String(password)})
	refused(t, "sign-up", err, "")

	confirm := func(name string) func() error {
		return func() error {
			_, err := c.ConfirmSignUp(ctx, &cognito.ConfirmSignUpInput{
				ClientId: client, Username: &name, ConfirmationCode: aws.String("x")})
			return err
		}
	}
	resend := func(name string) func() error {
		return func() error {
			_, err := c.ResendConfirmationCode(ctx, &cognito.ResendConfirmationCodeInput{
				ClientId: client, Username: &name})
			return err
		}
	}
	forgot := func(name string) func() error {
		return func() error {
			_, err := c.ForgotPassword(ctx, &cognito.ForgotPasswordInput{
				ClientId: client, Username: &name})
			return err
		}
	}
	reset := func(name string) func() error {
		return func() error {
			_, err := c.ConfirmForgotPassword(ctx, &cognito.ConfirmForgotPasswordInput{
				ClientId: client, Username: &name, ConfirmationCode: aws.String("x"),
				Password: aws.String(password)})
			return err
		}
	}
	change := func() error {
		_, err := c.ChangePassword(ctx, &cognito.ChangePasswordInput{
			AccessToken:      &tokens.AccessToken,
			PreviousPassword: aws.String("Wrong-1-password"),
			ProposedPassword: aws.String(password)})
		return err
	}
	sendCode := func() error {
		in := &cognito.GetUserAttributeVerificationCodeInput{
			AccessToken: &tokens.AccessToken, AttributeName: aws.String("email")}
		_, err := c.GetUserAttributeVerificationCode(ctx, in)
		return err
	}
	verify := func() error {
		_, err := c.VerifyUserAttribute(ctx, &cognito.VerifyUserAttributeInput{
			AccessToken: &tokens.AccessToken, AttributeName: aws.String("email"),
			Code: aws.String("x")})
		return err
	}
	const recovery = quotasGuide + ": 5-20 by risk"
	for _, row := range []struct {
		what   string
		below  string // the exception below the limit
		limit  int
		source string
		call   func() error
	}{
		{"ConfirmSignUp", codeMismatch, 15, quotasGuide, confirm(unconfirmed)},
		{"ConfirmSignUp of nobody", "ExpiredCodeException", 15, quotasGuide, confirm(nobody)},
		{"ResendConfirmationCode", "", 5, quotasGuide, resend(unconfirmed)},
		{"ResendConfirmationCode of nobody", "", 5, quotasGuide, resend(nobody)},
		{"ForgotPassword", "", 5, "API: LimitExceededException", forgot(email)},
		{"ForgotPassword of nobody", "", 5, "API: LimitExceededException", forgot(nobody)},
		{"ConfirmForgotPassword", codeMismatch, 5, recovery, reset(email)},
		{"ConfirmForgotPassword of nobody", codeMismatch, 5, recovery, reset(nobody)},
		{"ChangePassword", notAuthorized, 5, quotasGuide, change},
		{"GetUserAttributeVerificationCode", "", 5, quotasGuide, sendCode},
		{"VerifyUserAttribute", codeMismatch, 15, quotasGuide, verify},
	} {
		var rows []behaviour
		for range row.limit {
			rows = append(rows, behaviour{row.what, row.below, row.source, row.call})
		}
		checkAll(t, append(rows, behaviour{row.what + " once more", limitExceeded, row.source,
			says(t, "Attempt limit exceeded, please try after some time.", row.call)}))
	}
	// A new code gives no new guesses: neither did those of ResendConfirmationCode.
	refused(t, "a guess at the newest code", confirm(unconfirmed)(), limitExceeded)
	clock.move(time.Hour)
	refused(t, "resend after an hour", resend(unconfirmed)(), "")
	refused(t, "a guess after an hour", confirm(unconfirmed)(), codeMismatch)
}

// TestRevealUserExistence: PreventUserExistenceErrors=LEGACY
// (Developer Guide, "Managing user existence error responses").
func TestRevealUserExistence(t *testing.T) {
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{
			RevealUserExistence: true, AuthFlows: serverFlows()}}}), t.Context()
	c, o := sdk(s), outputsOf(t, s)
	client, name := &o.Auth.ClientID, aws.String(nobody)
	const legacy = "Developer Guide, Managing user existence error responses: LEGACY"
	checkAll(t, []behaviour{
		{"sign-in", userNotFound, legacy, adminAuth(t, c, o, nobody, password)},
		{"SRP", userNotFound, legacy, srpAuth(t, c, o, nobody, password)},
		{"ForgotPassword", userNotFound, legacy, func() error {
			_, err := c.ForgotPassword(ctx, &cognito.ForgotPasswordInput{
				ClientId: client, Username: name})
			return err
		}},
		{"ConfirmForgotPassword", userNotFound, legacy, func() error {
			_, err := c.ConfirmForgotPassword(ctx, &cognito.ConfirmForgotPasswordInput{
				ClientId: client, Username: name, ConfirmationCode: aws.String("1"),
				Password: aws.String(password)})
			return err
		}},
		{"ConfirmSignUp", userNotFound, legacy, func() error {
			_, err := c.ConfirmSignUp(ctx, &cognito.ConfirmSignUpInput{ClientId: client,
				Username: name, ConfirmationCode: aws.String("1")})
			return err
		}},
		{"ResendConfirmationCode", userNotFound, legacy, func() error {
			_, err := c.ResendConfirmationCode(ctx, &cognito.ResendConfirmationCodeInput{
				ClientId: client, Username: name})
			return err
		}},
	})
	described, err := c.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{
		UserPoolId: &o.Auth.PoolID, ClientId: client})
	if err != nil || described.UserPoolClient.PreventUserExistenceErrors != "LEGACY" {
		t.Errorf("client: %+v, %v", described, err)
	}
}

// withoutUsernameAttributes are outputs of a pool where users choose a username.
const withoutUsernameAttributes = `{"version": "1.4", "auth": {
	"aws_region": "us-east-1", "user_pool_id": "us-east-1_Alias", "user_pool_client_id": "client",
	"username_attributes": [], "user_verification_types": ["email"]}}`

// TestAliasAttributes: an alias is a name to sign in with once it
// is verified (Developer Guide, "Customizing sign-in attributes").
func TestAliasAttributes(t *testing.T) {
	s, ctx := start(t, sandbox.Config{
		Outputs:         []byte(withoutUsernameAttributes),
		AliasAttributes: []string{"email", "preferred_username"},
		Clients:         []sandbox.Client{{AuthFlows: serverFlows()}},
		Users: []sandbox.User{{Username: "alice", Email: email, Password: password,
			Attributes: map[string]string{"preferred_username": "wonder"}}},
	}), t.Context()
	c, o := sdk(s), outputsOf(t, s)
	up := func(name string) func() error {
		return func() error {
			_, err := c.SignUp(ctx, &cognito.SignUpInput{ClientId: &o.Auth.ClientID,
				Username: &name, Password: aws.String(password),
				UserAttributes: []types.AttributeType{
					{Name: aws.String("email"), Value: aws.String("bob@example.com")}}})
			return err
		}
	}
	const guide = "Developer Guide, Customizing sign-in attributes"
	checkAll(t, []behaviour{
		{"by username", "", guide, adminAuth(t, c, o, "alice", password)},
		{"by a verified address", "", guide, adminAuth(t, c, o, email, password)},
		{"by preferred_username", "", guide, adminAuth(t, c, o, "wonder", password)},
		{"an address as username", invalidParameter, guide, up("bob@example.com")},
		{"sign-up", "", guide, up("bob")},
		{"by an address that is not verified", notAuthorized, guide,
			adminAuth(t, c, o, "bob@example.com", password)},
	})
	_, err := sandbox.Start(ctx, sandbox.Config{AliasAttributes: []string{"email"}})
	if err == nil || !strings.Contains(err.Error(), "where they choose a username") {
		t.Errorf("aliases where users sign in with an attribute: %v", err)
	}
	_, err = sandbox.Start(ctx, sandbox.Config{
		Outputs: []byte(withoutUsernameAttributes), AliasAttributes: []string{"nickname"}})
	if err == nil || !strings.Contains(err.Error(), `"nickname" cannot be an alias`) {
		t.Errorf("an alias that cannot be: %v", err)
	}
}

// TestInvitations: MessageAction and DesiredDeliveryMediums of AdminCreateUser.
func TestInvitations(t *testing.T) {
	const phone = "+15550100"
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{AuthFlows: serverFlows()}},
		Users:   []sandbox.User{{Email: email, Password: password}}}), t.Context()
	c, o := sdk(s), outputsOf(t, s)
	const name, silent = "carol@example.com", "silent@example.com"
	create := func(
		name string, action types.MessageActionType, mediums ...types.DeliveryMediumType,
	) func() error {
		return func() error {
			_, err := c.AdminCreateUser(ctx, &cognito.AdminCreateUserInput{
				UserPoolId: &o.Auth.PoolID, Username: &name,
				MessageAction: action, DesiredDeliveryMediums: mediums})
			return err
		}
	}
	messages := func(name string) []sandbox.Message {
		t.Helper()
		sent, err := s.Messages(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return sent
	}
	withPhone := func() error {
		_, err := c.AdminCreateUser(ctx, &cognito.AdminCreateUserInput{
			UserPoolId: &o.Auth.PoolID, Username: aws.String("both@example.com"),
			DesiredDeliveryMediums: []types.DeliveryMediumType{"SMS", "EMAIL"},
			UserAttributes: []types.AttributeType{
				{Name: aws.String("phone_number"), Value: aws.String(phone)}}})
		return err
	}
	checkAll(t, []behaviour{
		{"resend to nobody", userNotFound, "API: UserNotFoundException", create(name, "RESEND")},
		{"by SMS without a number", invalidParameter, "API: UserAttributes, phone_number",
			create(name, "", "SMS")},
		{"by pigeon", invalidParameter, "API: DesiredDeliveryMediums", create(name, "", "PIGEON")},
		{"an unknown action", invalidParameter, "API: MessageAction", create(name, "SHOUT")},
		{"by e-mail", "", "API: DesiredDeliveryMediums", create(name, "", "EMAIL")},
		{"again", "UsernameExistsException", "API", create(name, "", "EMAIL")},
		{"resend", "", "API: MessageAction", create(name, "RESEND")},
		{"resend to a user with a password", "UnsupportedUserStateException",
			"API: UnsupportedUserStateException", create(email, "RESEND")},
		{"suppress", "", "API: MessageAction", create(silent, "SUPPRESS")},
		{"by both", "", "API: more than one value", withPhone},
	})
	sent := messages(name)
	if len(sent) != 2 || sent[0].Kind != "invitation" || sent[0].Code == sent[1].Code {
		t.Fatalf("invitations: %+v", sent)
	}
	err := adminAuth(t, c, o, name, sent[1].Code)()
	refused(t, "the first temporary password", err, notAuthorized)
	in, err := c.AdminInitiateAuth(ctx, &cognito.AdminInitiateAuthInput{
		UserPoolId: &o.Auth.PoolID, ClientId: &o.Auth.ClientID,
		AuthFlow:       types.AuthFlowTypeAdminUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": sent[0].Code}})
	if err != nil || in.ChallengeName != types.ChallengeNameTypeNewPasswordRequired {
		t.Errorf("the second temporary password: %+v, %v", in, err)
	}
	if sent := messages(silent); len(sent) != 0 {
		t.Errorf("messages in spite of SUPPRESS: %+v", sent)
	}
	if sent := messages("both@example.com"); len(sent) != 2 || sent[1].To != phone {
		t.Errorf("messages by SMS and e-mail: %+v", sent)
	}
}

// TestListUsers: Filter, Limit and AttributesToGet.
func TestListUsers(t *testing.T) {
	s, ctx := start(t, sandbox.Config{Users: []sandbox.User{
		{Email: email, Password: password, Attributes: map[string]string{
			"name": `Alice "Al" \ Bell`, "custom:team": "a"}},
		{Email: "bob@example.com", Password: password},
	}}), t.Context()
	c, pool := sdk(s), aws.String(outputsOf(t, s).Auth.PoolID)
	var users []types.UserType
	list := func(filter string, limit int32, attributes ...string) func() error {
		in := &cognito.ListUsersInput{UserPoolId: pool, AttributesToGet: attributes}
		if filter != "" {
			in.Filter = &filter
		}
		if limit != 0 {
			in.Limit = &limit
		}
		return func() error {
			out, err := c.ListUsers(ctx, in)
			if err == nil {
				users = out.Users
			}
			return err
		}
	}
	finds := func(want int, call func() error) func() error {
		return func() error {
			err := call()
			if len(users) != want {
				t.Errorf("%d users, want %d", len(users), want)
			}
			return err
		}
	}
	const filters = "API: Filter"
	checkAll(t, []behaviour{
		{"by sub", "", filters, finds(0, list(`sub = "x"`, 0))},
		{"by prefix", "", filters, finds(1, list(`email ^= "ali"`, 0))},
		{"escaped quotes", "", filters, finds(1, list(`name = "Alice \"Al\" \\ Bell"`, 0))},
		{"status in lower case", "", filters + ", cognito:user_status is case-insensitive",
			finds(2, list(`cognito:user_status = "confirmed"`, 0))},
		{"enabled in lower case", "", filters + ", status is case-sensitive",
			finds(0, list(`status = "enabled"`, 0))},
		{"a custom attribute", invalidParameter, filters + ", custom attributes aren't searchable",
			list(`custom:team = "a"`, 0)},
		{"an attribute that is not in the list", invalidParameter, filters,
			list(`nickname = "a"`, 0)},
		{"two attributes", invalidParameter, filters + ", one attribute at a time",
			list(`email = "a" and name = "b"`, 0)},
		{"a long filter", invalidParameter, filters + ", maximum 256",
			list(`name = "`+strings.Repeat("x", 256)+`"`, 0)},
		{"61 users", invalidParameter, "API: Limit, maximum 60", list("", 61)},
		{"a negative limit", invalidParameter, "API: Limit, minimum 0", list("", -1)},
		{"an attribute that not all have", invalidParameter, "API: AttributesToGet",
			says(t, "One or more requested attributes do not exist.", list("", 0, "name"))},
		{"the same of those who have it", "", "API: AttributesToGet, in conjunction with Filter",
			finds(1, list(`email = "`+email+`"`, 0, "name", "custom:team"))},
	})
	got := users[0].Attributes
	if len(got) != 2 || attribute(got, "custom:team") != "a" || attribute(got, "name") == "" {
		t.Errorf("attributes: %+v", got)
	}
}

// TestListGroups: both lists of groups come in pages (API Reference: Limit and NextToken).
func TestListGroups(t *testing.T) {
	groups := []string{"a", "b", "c"}
	s, ctx := start(t, sandbox.Config{
		Users: []sandbox.User{{Email: email, Password: password, Groups: groups}}}), t.Context()
	c, pool := sdk(s), aws.String(outputsOf(t, s).Auth.PoolID)
	ofPool := cognito.NewListGroupsPaginator(c, &cognito.ListGroupsInput{
		UserPoolId: pool, Limit: aws.Int32(2)})
	ofUser := cognito.NewAdminListGroupsForUserPaginator(c, &cognito.AdminListGroupsForUserInput{
		UserPoolId: pool, Username: aws.String(email), Limit: aws.Int32(2)})
	var all, of []string
	var sizes []int
	for ofPool.HasMorePages() {
		page, err := ofPool.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Groups))
		for _, g := range page.Groups {
			all = append(all, *g.GroupName)
		}
	}
	for ofUser.HasMorePages() {
		page, err := ofUser.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Groups))
		for _, g := range page.Groups {
			of = append(of, *g.GroupName)
		}
	}
	if !slices.Equal(all, groups) || !slices.Equal(of, groups) ||
		!slices.Equal(sizes, []int{2, 1, 2, 1}) {
		t.Errorf("groups %v, of the user %v, in pages of %v", all, of, sizes)
	}
	checkAll(t, []behaviour{
		{"61 groups", invalidParameter, "API: Limit, maximum 60", func() error {
			_, err := c.ListGroups(ctx, &cognito.ListGroupsInput{
				UserPoolId: pool, Limit: aws.Int32(61)})
			return err
		}},
		{"a bad token", invalidParameter, "API", func() error {
			_, err := c.AdminListGroupsForUser(ctx, &cognito.AdminListGroupsForUserInput{
				UserPoolId: pool, Username: aws.String(email), NextToken: aws.String("x")})
			return err
		}},
	})
}

// TestSignInAfterSignUp: there is no Session without the flow USER_AUTH (API Reference, SignUp and
// ConfirmSignUp), and Amplify JS then signs a user in by SRP after the confirmation.
func TestSignInAfterSignUp(t *testing.T) {
	s, ctx := start(t, sandbox.Config{}), t.Context()
	c, o := sdk(s), outputsOf(t, s)
	up, err := c.SignUp(ctx, &cognito.SignUpInput{
		ClientId: &o.Auth.ClientID, Username: aws.String(email), Password: aws.String(password)})
	if err != nil || up.Session != nil {
		t.Fatalf("sign-up: %+v, %v", up, err)
	}
	code, err := s.LastCode(ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	confirmed, err := c.ConfirmSignUp(ctx, &cognito.ConfirmSignUpInput{ClientId: &o.Auth.ClientID,
		Username: aws.String(email), ConfirmationCode: &code, Session: up.Session})
	if err != nil || confirmed.Session != nil {
		t.Fatalf("confirmation: %+v, %v", confirmed, err)
	}
	refused(t, "sign-in", srpAuth(t, c, o, email, password)(), "")
}

// TestRefreshChecksTheHash: a wrong SECRET_HASH is refused before the refresh has an effect.
func TestRefreshChecksTheHash(t *testing.T) {
	asked := 0
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{Secret: "client-secret"}},
		Users:   []sandbox.User{{Email: email, Password: password}},
		PreToken: func(context.Context, pretoken.Event) (pretoken.Response, error) {
			asked++
			return pretoken.Response{}, nil
		},
	}), t.Context()
	client := outputsOf(t, s).Auth.ClientID
	tokens, err := s.Tokens(ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	before := asked
	for _, hash := range []string{"", "wrong"} {
		p := map[string]string{"REFRESH_TOKEN": tokens.RefreshToken}
		if hash != "" {
			p["SECRET_HASH"] = hash
		}
		_, err = sdk(s).InitiateAuth(ctx, &cognito.InitiateAuthInput{
			ClientId: &client, AuthFlow: types.AuthFlowTypeRefreshTokenAuth, AuthParameters: p})
		refused(t, "refresh with the hash "+hash, err, notAuthorized)
	}
	if asked != before {
		t.Errorf("the pre-token hook was asked %d times", asked-before)
	}
}

// machine is the answer of the token endpoint.
type machine struct {
	Status       int    `json:"-"`
	Error        string `json:"error"`
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
	TokenType    string `json:"token_type"`
}

// claimsOf returns the claims of a token.
func claimsOf(t *testing.T, token string) (claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %q", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// TestClientCredentials: the token endpoint gives a client access tokens for itself.
func TestClientCredentials(t *testing.T) {
	const secret, id, read, write = "machine-secret", "machine", "photos/read", "photos/write"
	s := start(t, sandbox.Config{
		AppOrigins: []string{"http://localhost:3000"},
		ResourceServers: []sandbox.ResourceServer{
			{Identifier: "photos", Scopes: []string{"read", "write"}}},
		Clients: []sandbox.Client{
			{Scopes: []string{"openid", read}},
			{ID: id, Secret: secret, ClientCredentials: true, Scopes: []string{read, write},
				AccessTokenValidity: 10 * time.Minute},
		},
	})
	o := outputsOf(t, s)
	ask := func(client, secret string, form url.Values) machine {
		t.Helper()
		form.Set("grant_type", "client_credentials")
		header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		if secret != "" {
			credentials := base64.StdEncoding.EncodeToString([]byte(client + ":" + secret))
			header["Authorization"] = "Basic " + credentials
		} else {
			form.Set("client_id", client)
		}
		res, body := call(t, "POST", s.URL()+"/oauth2/token", form.Encode(), header)
		answer := machine{Status: res.StatusCode}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return answer
	}
	const guide = "Developer Guide, Token endpoint"
	for _, row := range []struct {
		what, client, secret, scope string
		want, scopes                string
		source                      string
	}{
		{"all scopes", id, secret, "", "", read + " " + write,
			guide + ": all custom scopes of the client"},
		{"one scope", id, secret, write, "", write, guide + ": scope"},
		{"a scope twice", id, secret, write + " " + write, "", write, "RFC 6749 §3.3"},
		{"an unknown scope", id, secret, read + " photos/x", "invalid_scope", "", "RFC 6749 §5.2"},
		{"a scope of users", id, secret, "openid", "invalid_scope", "",
			"Developer Guide, Scopes, M2M, and resource servers: custom scopes"},
		{"no secret", id, "", "", "invalid_client", "", guide + ": invalid_client"},
		{"a wrong secret", id, "x", "", "invalid_client", "", guide + ": invalid_client"},
		{"an unknown client", "nobody", "x", "", "invalid_client", "", guide + ": invalid_client"},
		{"a client of users", o.Auth.ClientID, "", "", "unauthorized_client", "",
			guide + ": unauthorized_client"},
	} {
		form := url.Values{}
		if row.scope != "" {
			form.Set("scope", row.scope)
		}
		a := ask(row.client, row.secret, form)
		if row.want != "" {
			if a.Status != http.StatusBadRequest || a.Error != row.want || a.AccessToken != "" {
				t.Errorf("%s: %+v, want %s (%s)", row.what, a, row.want, row.source)
			}
			continue
		}
		if a.Status != http.StatusOK || a.ExpiresIn != 600 || a.TokenType != "Bearer" ||
			a.IDToken != "" || a.RefreshToken != "" {
			t.Errorf("%s: %+v (%s)", row.what, a, row.source)
		}
		got := claimsOf(t, a.AccessToken)
		if got["scope"] != row.scopes {
			t.Errorf("%s: scope %v, want %s (%s)", row.what, got["scope"], row.scopes, row.source)
		}
		// Developer Guide, "Understanding the access token".
		for name, want := range map[string]any{
			"sub": id, "client_id": id, "token_use": "access", "version": 2.0,
			"iss": "https://cognito-idp.us-east-1.amazonaws.com/" + o.Auth.PoolID} {
			if got[name] != want {
				t.Errorf("%s: claim %s is %v, want %v", row.what, name, got[name], want)
			}
			delete(got, name)
		}
		for _, name := range []string{"scope", "auth_time", "exp", "iat", "jti"} {
			if got[name] == nil {
				t.Errorf("%s: no claim %s", row.what, name)
			}
			delete(got, name)
		}
		if len(got) != 0 {
			t.Errorf("%s: the token has the claims of a user: %v", row.what, got)
		}
	}

	// A machine is no user.
	token := ask(id, secret, url.Values{}).AccessToken
	_, err := sdk(s).GetUser(t.Context(), &cognito.GetUserInput{AccessToken: &token})
	refused(t, "GetUser", err, notAuthorized)
	res, _ := call(t, "GET", s.URL()+"/oauth2/userInfo", "",
		map[string]string{"Authorization": "Bearer " + token})
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("userInfo: %s", res.Status)
	}
	// It signs nobody in, and users of another client can have its scopes.
	for client, want := range map[string]string{
		id: "/error?error=redirect_mismatch", o.Auth.ClientID: "/login?"} {
		q := url.Values{"client_id": {client}, "response_type": {"code"},
			"redirect_uri": {o.Auth.OAuth.SignIn[0]}, "scope": {"openid " + read}}
		res, _ := call(t, "GET", s.URL()+"/oauth2/authorize?"+q.Encode(), "", nil)
		if got := res.Header.Get("Location"); !strings.HasPrefix(got, want) {
			t.Errorf("managed login for %s leads to %s, want %s", client, got, want)
		}
	}
	in := &cognito.DescribeUserPoolClientInput{
		UserPoolId: &o.Auth.PoolID, ClientId: aws.String(id)}
	described, err := sdk(s).DescribeUserPoolClient(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	c := described.UserPoolClient
	if !slices.Equal(c.AllowedOAuthFlows, []types.OAuthFlowType{"client_credentials"}) ||
		!slices.Equal(c.AllowedOAuthScopes, []string{read, write}) {
		t.Errorf("client: %+v", c)
	}
}

// TestScopesOfOutputs: custom scopes in outputs are those of the project's resource servers, which
// outputs do not list. The client of the outputs has them without any setting.
func TestScopesOfOutputs(t *testing.T) {
	const custom = "https://api.example.com/photos.read"
	s := start(t, sandbox.Config{Outputs: []byte(`{"version": "1.4", "auth": {
		"aws_region": "us-east-1", "user_pool_id": "us-east-1_Scopes",
		"user_pool_client_id": "client",
		"oauth": {"domain": "x.auth.us-east-1.amazoncognito.com", "identity_providers": [],
			"scopes": ["openid", "` + custom + `"], "response_type": "code",
			"redirect_sign_in_uri": ["http://localhost:3000/"], "redirect_sign_out_uri": []}}}`)})
	q := url.Values{"client_id": {"client"}, "response_type": {"code"},
		"redirect_uri": {"http://localhost:3000/"}, "scope": {custom}}
	res, _ := call(t, "GET", s.URL()+"/oauth2/authorize?"+q.Encode(), "", nil)
	if got := res.Header.Get("Location"); !strings.HasPrefix(got, "/login?") {
		t.Errorf("managed login leads to %s", got)
	}
}

// TestFaultsOfMachines: settings that Cognito would refuse end the start, all at once.
func TestFaultsOfMachines(t *testing.T) {
	withServers := func(c sandbox.Client) sandbox.Config {
		servers := []sandbox.ResourceServer{{Identifier: "photos", Scopes: []string{"read"}}}
		return sandbox.Config{ResourceServers: servers, Clients: []sandbox.Client{c}}
	}
	for what, c := range map[string]struct {
		cfg  sandbox.Config
		want []string
	}{
		"no secret and no scope": {
			sandbox.Config{Clients: []sandbox.Client{{ID: "m", ClientCredentials: true}}},
			[]string{"client m has client credentials, but no secret",
				"client m has client credentials, but no scope"}},
		"a scope of no resource server": {withServers(
			sandbox.Client{ID: "m", Secret: "s", ClientCredentials: true,
				Scopes: []string{"photos/write"}}),
			[]string{`app client m has the scope "photos/write", which no resource server has`}},
		"a scope of users": {withServers(
			sandbox.Client{ID: "m", Secret: "s", ClientCredentials: true,
				Scopes: []string{"photos/read", "openid"}}),
			[]string{`app client m has client credentials and the scope "openid"`}},
		"a scope of a client of users": {
			sandbox.Config{Clients: []sandbox.Client{{Scopes: []string{"photos/read"}}}},
			[]string{`has the scope "photos/read", which no resource server has`}},
		"the client of the outputs": {withServers(
			sandbox.Client{Secret: "s", ClientCredentials: true, Scopes: []string{"photos/read"}}),
			[]string{"client credentials, which exclude managed login"}},
		"bad names": {sandbox.Config{ResourceServers: []sandbox.ResourceServer{
			{Identifier: "a b"}, {Identifier: "c", Scopes: []string{"d/e"}}}},
			[]string{`"a b" cannot be the identifier`,
				`"d/e" cannot be a scope of resource server "c"`}},
		"an identifier of no provider": {
			sandbox.Config{ProviderIdentifiers: map[string]string{"example.com": "Okta"}},
			[]string{`"example.com" is an identifier of "Okta"`}},
	} {
		c.cfg.AccessTokenKey, c.cfg.IDTokenKey = testKeys()[0], testKeys()[1]
		s, err := sandbox.Start(t.Context(), c.cfg)
		if err == nil {
			_ = s.Close(t.Context())
			t.Errorf("%s: the sandbox has started", what)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", what, err, want)
			}
		}
	}
}

// TestProviderIdentifiers: idp_identifier leads to the identity
// provider (Developer Guide, "Authorize endpoint").
func TestProviderIdentifiers(t *testing.T) {
	s := start(t, sandbox.Config{AppOrigins: []string{"http://localhost:3000"},
		ProviderIdentifiers: map[string]string{"example.com": "Google"}})
	o := outputsOf(t, s)
	callback := o.Auth.OAuth.SignIn[0]
	for identifier, want := range map[string]string{
		"example.com": "/pretend/Google?", "other.com": callback + "?error=invalid_request"} {
		q := url.Values{"client_id": {o.Auth.ClientID}, "response_type": {"code"},
			"redirect_uri": {callback}, "idp_identifier": {identifier}}
		res, _ := call(t, "GET", s.URL()+"/oauth2/authorize?"+q.Encode(), "", nil)
		if got := res.Header.Get("Location"); !strings.HasPrefix(got, want) {
			t.Errorf("%s leads to %s, want %s", identifier, got, want)
		}
	}
}

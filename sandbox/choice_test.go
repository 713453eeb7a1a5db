package sandbox_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/internal/srp/srptest"
)

const (
	allowUser   = "ALLOW_USER_AUTH"
	choiceGuide = "Developer Guide, Authentication flows: choice-based sign-in"
	sessionDocs = "API Reference, SignUp, ConfirmSignUp and InitiateAuth: Session"
)

// TestSignUpSession: who has just confirmed a sign-up signs in by its session, once.
func TestSignUpSession(t *testing.T) {
	clock := &testClock{}
	s, ctx := start(t, sandbox.Config{Clock: clock.Now,
		Clients: []sandbox.Client{
			{AuthFlows: []string{allowUser}}, {ID: "other", AuthFlows: []string{allowUser}}},
		Users: []sandbox.User{{Email: email, Password: password}}}), t.Context()
	c, o := sdk(s), outputsOf(t, s)
	// join signs a user up, and confirms that with a session.
	join := func(name string, given *string) (session string) {
		t.Helper()
		up, err := c.SignUp(ctx, &cognito.SignUpInput{
			ClientId: &o.Auth.ClientID, Username: &name, Password: aws.String(password)})
		if err != nil || aws.ToString(up.Session) == "" {
			t.Fatalf("sign-up: %+v, %v", up, err)
		}
		code, err := s.LastCode(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if given == nil {
			given = up.Session
		}
		confirmed, err := c.ConfirmSignUp(ctx, &cognito.ConfirmSignUpInput{
			ClientId: &o.Auth.ClientID, Username: &name, ConfirmationCode: &code, Session: given})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(confirmed.Session)
	}
	signIn := func(client, name, session string) func() error {
		return func() error {
			out, err := c.InitiateAuth(ctx, &cognito.InitiateAuthInput{
				ClientId: &client, AuthFlow: types.AuthFlowTypeUserAuth, Session: &session,
				AuthParameters: map[string]string{"USERNAME": name}})
			if err == nil && aws.ToString(out.AuthenticationResult.RefreshToken) == "" {
				t.Errorf("no tokens: %+v", out)
			}
			return err
		}
	}
	own, other := o.Auth.ClientID, "other"
	one, two := join("one@example.com", nil), join("two@example.com", nil)
	three, late := join("three@example.com", nil), join("late@example.com", nil)
	without := join("without@example.com", aws.String("")) // as Amplify JS does it
	if got := join("four@example.com", aws.String("made up")); got != "" {
		t.Errorf("a session for one that is made up: %q", got)
	}
	checkAll(t, []behaviour{
		{"a session", "", sessionDocs, signIn(own, "one@example.com", one)},
		{"a session without that of the sign-up", "", sessionDocs,
			signIn(own, "without@example.com", without)},
		{"for the second time", notAuthorized, sessionDocs, signIn(own, "one@example.com", one)},
		{"another user", notAuthorized, sessionDocs, signIn(own, email, two)},
		{"another client", notAuthorized, sessionDocs, signIn(other, "three@example.com", three)},
		{"made up", notAuthorized, sessionDocs, signIn(own, email, "made up")},
	})
	clock.move(4 * time.Minute)
	checkAll(t, []behaviour{
		{"late", notAuthorized, sessionDocs, signIn(own, "late@example.com", late)}})
}

// TestChoice: a client is told the ways to sign in, chooses one, or prefers one from the beginning.
func TestChoice(t *testing.T) {
	s, ctx := start(t, sandbox.Config{
		Clients: []sandbox.Client{{AuthFlows: []string{allowUser}}},
		Users:   []sandbox.User{{Email: email, Password: password}}}), t.Context()
	c, o := sdk(s), outputsOf(t, s)
	initiate := func(p map[string]string) (*cognito.InitiateAuthOutput, error) {
		return c.InitiateAuth(ctx, &cognito.InitiateAuthInput{ClientId: &o.Auth.ClientID,
			AuthFlow: types.AuthFlowTypeUserAuth, AuthParameters: p})
	}
	ask := func(name string) string {
		t.Helper()
		out, err := initiate(map[string]string{"USERNAME": name})
		if err != nil || out.ChallengeName != types.ChallengeNameTypeSelectChallenge ||
			!slices.Equal(out.AvailableChallenges, []types.ChallengeNameType{
				types.ChallengeNameTypePassword, types.ChallengeNameTypePasswordSrp}) {
			t.Fatalf("%s: %+v, %v", name, out, err)
		}
		return aws.ToString(out.Session)
	}
	answer := func(session string, p map[string]string) func() error {
		return func() error {
			out, err := c.RespondToAuthChallenge(ctx, &cognito.RespondToAuthChallengeInput{
				ClientId: &o.Auth.ClientID, Session: &session, ChallengeResponses: p,
				ChallengeName: types.ChallengeNameTypeSelectChallenge})
			if err == nil && out.AuthenticationResult == nil &&
				out.ChallengeName != types.ChallengeNameTypePasswordVerifier {
				t.Errorf("%v: %+v", p, out)
			}
			return err
		}
	}
	prefer := func(p map[string]string) func() error {
		return func() error { _, err := initiate(p); return err }
	}
	with := func(name, challenge, key, value string) map[string]string {
		return map[string]string{"USERNAME": name, "ANSWER": challenge,
			"PREFERRED_CHALLENGE": challenge, key: value}
	}
	a := srptest.NewClient("pool").A()
	byPassword := with(email, "PASSWORD", "PASSWORD", password)
	used := ask(email)
	checkAll(t, []behaviour{
		{"password", "", choiceGuide, answer(used, byPassword)},
		{"a session twice", notAuthorized, choiceGuide, answer(used, byPassword)},
		{"no session", notAuthorized, choiceGuide, answer("made up", byPassword)},
		{"SRP", "", choiceGuide, answer(ask(email), with(email, "PASSWORD_SRP", "SRP_A", a))},
		{"wrong password", notAuthorized, choiceGuide,
			answer(ask(email), with(email, "PASSWORD", "PASSWORD", "Wrong-1-password"))},
		{"nobody", notAuthorized, choiceGuide,
			answer(ask(nobody), with(nobody, "PASSWORD", "PASSWORD", password))},
		{"a code", invalidParameter, choiceGuide,
			answer(ask(email), with(email, "EMAIL_OTP", "X", "x"))},
		{"preferred password", "", choiceGuide, prefer(byPassword)},
		{"preferred SRP", "", choiceGuide, prefer(with(email, "PASSWORD_SRP", "SRP_A", a))},
		{"preferred without a password", invalidParameter, choiceGuide,
			prefer(with(email, "PASSWORD", "X", "x"))},
	})
}

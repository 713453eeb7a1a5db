package idp

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// authResult is AuthenticationResultType.
type authResult struct {
	AccessToken  string
	ExpiresIn    int
	IDToken      string `json:"IdToken,omitempty"`
	RefreshToken string `json:",omitempty"`
	TokenType    string
}

// authOutput is the answer of InitiateAuth and RespondToAuthChallenge: tokens or another challenge.
type authOutput struct {
	AuthenticationResult *authResult `json:",omitempty"`
	ChallengeName        string      `json:",omitempty"`
	ChallengeParameters  map[string]string
	AvailableChallenges  []string `json:",omitempty"`
	Session              string   `json:",omitempty"`
}

func authenticated(t *userpool.Tokens) authOutput {
	return authOutput{
		AuthenticationResult: &authResult{t.AccessToken, int(t.ExpiresIn.Seconds()), t.IDToken, t.RefreshToken, "Bearer"},
		ChallengeParameters:  map[string]string{},
	}
}

// parameters are AuthParameters or ChallengeResponses.
type parameters map[string]string

// need refuses the call if one of these parameters is missing.
func (p parameters) need(names ...string) error {
	for _, name := range names {
		if p[name] == "" {
			return refuse(userpool.InvalidParameter, "Missing required parameter "+name)
		}
	}
	return nil
}

type initiateAuthInput struct {
	AuthFlow       string
	ClientID       string `json:"ClientId"`
	AuthParameters parameters
	Session        string // of ConfirmSignUp
}

func (h *Handler) initiateAuth(ctx context.Context, in initiateAuthInput) (any, error) {
	if in.AuthFlow == adminPasswordAuth || in.AuthFlow == adminNoSRPAuth {
		return nil, unsupportedFlow()
	}
	return h.initiate(ctx, in)
}

// adminInitiateAuth is InitiateAuth for servers, which have other flows with a password.
func (h *Handler) adminInitiateAuth(ctx context.Context, in adminInput) (any, error) {
	if in.AuthFlow == passwordAuth {
		return nil, unsupportedFlow()
	}
	return h.initiate(ctx, initiateAuthInput{
		in.AuthFlow, in.ClientID, in.AuthParameters, in.Session})
}

// initiate begins a flow that the client allows.
func (h *Handler) initiate(ctx context.Context, in initiateAuthInput) (any, error) {
	client, err := h.pool.Client(in.ClientID)
	if err != nil {
		return nil, err
	}
	if err := checkFlow(client, in.AuthFlow); err != nil {
		return nil, err
	}
	switch in.AuthFlow {
	case passwordAuth, adminPasswordAuth, adminNoSRPAuth:
		return h.passwordAuth(ctx, client, in.AuthParameters)
	case refreshTokenAuth, refreshToken:
		return h.refreshAuth(ctx, client, in.AuthParameters)
	case userAuth:
		return h.userAuth(ctx, client, in)
	case customAuth:
		return nil, refuse(userpool.InvalidParameter,
			"Custom auth lambda trigger is not configured for the user pool.")
	default: // srpAuth
		return h.srpAuth(ctx, client, in.AuthParameters)
	}
}

func (h *Handler) srpAuth(
	ctx context.Context, client *userpool.Client, p parameters,
) (any, error) {
	if err := p.need("USERNAME", "SRP_A"); err != nil {
		return nil, err
	}
	if err := h.checkHash(client.ID, p["USERNAME"], p["SECRET_HASH"]); err != nil {
		return nil, err
	}
	c, err := h.pool.StartSRP(ctx, client.ID, p["USERNAME"], p["SRP_A"])
	if err != nil {
		return nil, err
	}
	return authOutput{ChallengeName: "PASSWORD_VERIFIER", ChallengeParameters: map[string]string{
		"SALT": c.Salt, "SECRET_BLOCK": c.SecretBlock, "SRP_B": c.SRPB,
		"USERNAME": c.UserID, "USER_ID_FOR_SRP": c.UserID}}, nil
}

func (h *Handler) passwordAuth(
	ctx context.Context, client *userpool.Client, p parameters,
) (any, error) {
	if err := p.need("USERNAME", "PASSWORD"); err != nil {
		return nil, err
	}
	if err := h.checkHash(client.ID, p["USERNAME"], p["SECRET_HASH"]); err != nil {
		return nil, err
	}
	u, err := h.pool.VerifyPassword(ctx, client.ID, p["USERNAME"], p["PASSWORD"])
	return h.signIn(ctx, userpool.Grant{ClientID: client.ID}, u, err)
}

func (h *Handler) refreshAuth(ctx context.Context, client *userpool.Client, p parameters) (any, error) {
	if err := p.need("REFRESH_TOKEN"); err != nil {
		return nil, err
	}
	u, err := h.pool.RefreshUser(ctx, client.ID, p["REFRESH_TOKEN"])
	if err != nil {
		return nil, err
	}
	// The hash is that of the pool's own username, whatever name the user signed in with. It is
	// checked first: a refresh calls the pre-token hook.
	if err := h.checkHash(client.ID, u.Username, p["SECRET_HASH"]); err != nil {
		return nil, err
	}
	t, err := h.pool.Refresh(ctx, client.ID, p["REFRESH_TOKEN"], nil)
	if err != nil {
		return nil, err
	}
	return authenticated(t), nil
}

// signIn answers after the verification of a password, which
// returned u and err. The grant is complete but for the user.
func (h *Handler) signIn(ctx context.Context, g userpool.Grant, u *userpool.User, err error) (any, error) {
	if userpool.CodeOf(err) == userpool.NewPasswordRequired {
		return h.newPasswordChallenge(ctx, g.ClientID, u)
	} else if err != nil {
		return nil, err
	}
	g.Sub = u.Sub
	t, err := h.pool.IssueTokens(ctx, g)
	if err != nil {
		return nil, err
	}
	return authenticated(t), nil
}

const attributePrefix = "userAttributes."

func (h *Handler) newPasswordChallenge(ctx context.Context, clientID string, u *userpool.User) (any, error) {
	session, err := h.pool.NewPasswordSession(ctx, clientID, u)
	if err != nil {
		return nil, err
	}
	required := []string{}
	for _, name := range h.pool.MissingAttributes(u.Attributes) {
		required = append(required, attributePrefix+name)
	}
	requiredText, err := json.Marshal(required)
	if err != nil {
		return nil, err
	}
	attributes, err := json.Marshal(u.Attributes)
	return authOutput{ChallengeName: "NEW_PASSWORD_REQUIRED", Session: session, ChallengeParameters: map[string]string{
		"USER_ID_FOR_SRP": u.Username, "requiredAttributes": string(requiredText), "userAttributes": string(attributes)}}, err
}

type respondInput struct {
	ChallengeName      string
	ClientID           string `json:"ClientId"`
	Session            string
	ChallengeResponses parameters
	ClientMetadata     map[string]string
}

func (h *Handler) respondToAuthChallenge(ctx context.Context, in respondInput) (any, error) {
	client, err := h.pool.Client(in.ClientID)
	if err != nil {
		return nil, err
	}
	p := in.ChallengeResponses
	if err := p.need("USERNAME"); err != nil {
		return nil, err
	}
	if err := h.checkHash(client.ID, p["USERNAME"], p["SECRET_HASH"]); err != nil {
		return nil, err
	}
	grant := userpool.Grant{ClientID: client.ID, ClientMetadata: in.ClientMetadata}
	switch in.ChallengeName {
	case selectChallenge:
		if err := h.pool.CheckChoice(ctx, client.ID, in.Session); err != nil {
			return nil, err
		}
		return h.chosen(ctx, client, p["ANSWER"], p)
	case "PASSWORD_VERIFIER":
		if err := p.need("PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"); err != nil {
			return nil, err
		}
		u, err := h.pool.FinishSRP(ctx, client.ID, userpool.SRPClaim{
			Username: p["USERNAME"], SecretBlock: p["PASSWORD_CLAIM_SECRET_BLOCK"],
			Signature: p["PASSWORD_CLAIM_SIGNATURE"], Timestamp: p["TIMESTAMP"]})
		return h.signIn(ctx, grant, u, err)
	case "NEW_PASSWORD_REQUIRED":
		if err := p.need("NEW_PASSWORD"); err != nil {
			return nil, err
		}
		attributes := map[string]string{}
		for name, value := range p {
			if name, ok := strings.CutPrefix(name, attributePrefix); ok {
				attributes[name] = value
			}
		}
		u, err := h.pool.CompleteNewPassword(ctx, client.ID, in.Session, p["NEW_PASSWORD"], attributes)
		grant.Trigger = pretoken.NewPasswordChallenge
		return h.signIn(ctx, grant, u, err)
	default:
		return nil, refuse(userpool.InvalidParameter, "The sandbox does not know the challenge "+awsjson.Clip(in.ChallengeName)+".")
	}
}

func (h *Handler) adminRespondToAuthChallenge(ctx context.Context, in adminInput) (any, error) {
	return h.respondToAuthChallenge(ctx, respondInput{
		in.ChallengeName, in.ClientID, in.Session, in.ChallengeResponses, in.ClientMetadata})
}

type tokenInput struct {
	ClientID       string `json:"ClientId"`
	ClientSecret   string
	RefreshToken   string
	Token          string
	ClientMetadata map[string]string
}

func (h *Handler) getTokensFromRefreshToken(ctx context.Context, in tokenInput) (any, error) {
	if err := h.checkSecret(in.ClientID, in.ClientSecret, userpool.NotAuthorized); err != nil {
		return nil, err
	}
	t, err := h.pool.Refresh(ctx, in.ClientID, in.RefreshToken, in.ClientMetadata)
	if err != nil {
		return nil, err
	}
	return struct{ AuthenticationResult *authResult }{authenticated(t).AuthenticationResult}, nil
}

func (h *Handler) revokeToken(ctx context.Context, in tokenInput) (any, error) {
	if err := h.checkSecret(in.ClientID, in.ClientSecret, "UnauthorizedException"); err != nil {
		return nil, err
	}
	return empty{}, h.pool.Revoke(ctx, in.ClientID, in.Token)
}

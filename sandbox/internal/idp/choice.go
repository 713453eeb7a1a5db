package idp

import (
	"context"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Names of the flow USER_AUTH (API Reference, InitiateAuth and RespondToAuthChallenge; Developer
// Guide, "Authentication flows", choice-based sign-in). The choice is between two ways to prove the
// password: the sandbox has neither one-time codes nor passkeys.
const (
	selectChallenge = "SELECT_CHALLENGE"
	byPassword      = "PASSWORD"
	bySRP           = "PASSWORD_SRP"
)

// userAuth signs in the user of a sign-up that has just been confirmed, or begins with the
// challenge that the client prefers, or asks for a choice.
func (h *Handler) userAuth(
	ctx context.Context, client *userpool.Client, in initiateAuthInput,
) (any, error) {
	p := in.AuthParameters
	if err := p.need("USERNAME"); err != nil {
		return nil, err
	}
	if err := h.checkHash(client.ID, p["USERNAME"], p["SECRET_HASH"]); err != nil {
		return nil, err
	}
	if in.Session != "" {
		u, err := h.pool.SignInConfirmed(ctx, client.ID, p["USERNAME"], in.Session)
		return h.signIn(ctx, userpool.Grant{ClientID: client.ID}, u, err)
	}
	switch p["PREFERRED_CHALLENGE"] {
	case byPassword, bySRP:
		return h.chosen(ctx, client, p["PREFERRED_CHALLENGE"], p)
	}
	session, err := h.pool.ChoiceSession(ctx, client.ID)
	return authOutput{
		ChallengeName: selectChallenge, ChallengeParameters: map[string]string{},
		AvailableChallenges: []string{byPassword, bySRP}, Session: session,
	}, err
}

// chosen begins with a challenge.
func (h *Handler) chosen(
	ctx context.Context, client *userpool.Client, challenge string, p parameters,
) (any, error) {
	switch challenge {
	case byPassword:
		return h.passwordAuth(ctx, client, p)
	case bySRP:
		return h.srpAuth(ctx, client, p)
	}
	return nil, refuse(userpool.InvalidParameter,
		"The sandbox has the challenges "+byPassword+" and "+bySRP+" alone.")
}

package idp

import (
	"context"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

type signUpInput struct {
	ClientId, SecretHash, Username, Password string //nolint:revive // the API's spelling
	UserAttributes                           []attribute
}

func (h *Handler) signUp(ctx context.Context, in signUpInput) (any, error) {
	if err := h.checkHash(in.ClientId, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	u, sent, err := h.pool.SignUp(ctx, userpool.SignUpInput{
		ClientID: in.ClientId, Username: in.Username, Password: in.Password, Attributes: attributeMap(in.UserAttributes)})
	if err != nil {
		return nil, err
	}
	return struct {
		CodeDeliveryDetails *delivery `json:",omitempty"`
		UserConfirmed       bool
		UserSub             string
	}{deliveryOf(sent), u.Status == userpool.Confirmed, u.Sub}, nil
}

// codeInput is the input of the operations about a code for a user who is not signed in.
type codeInput struct {
	ClientId, SecretHash, Username, ConfirmationCode, Password string //nolint:revive // the API's spelling
}

func (h *Handler) confirmSignUp(ctx context.Context, in codeInput) (any, error) {
	if err := h.checkHash(in.ClientId, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	return empty{}, h.pool.ConfirmSignUp(ctx, in.ClientId, in.Username, in.ConfirmationCode)
}

func (h *Handler) resendConfirmationCode(ctx context.Context, in codeInput) (any, error) {
	if err := h.checkHash(in.ClientId, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	return sentTo(h.pool.ResendConfirmationCode(ctx, in.ClientId, in.Username))
}

func (h *Handler) forgotPassword(ctx context.Context, in codeInput) (any, error) {
	if err := h.checkHash(in.ClientId, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	return sentTo(h.pool.ForgotPassword(ctx, in.ClientId, in.Username))
}

func (h *Handler) confirmForgotPassword(ctx context.Context, in codeInput) (any, error) {
	if err := h.checkHash(in.ClientId, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	return empty{}, h.pool.ConfirmForgotPassword(ctx, in.ClientId, in.Username, in.ConfirmationCode, in.Password)
}

func sentTo(d *userpool.Delivery, err error) (any, error) {
	return struct{ CodeDeliveryDetails *delivery }{deliveryOf(d)}, err
}

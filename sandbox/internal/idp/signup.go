package idp

import (
	"context"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

type signUpInput struct {
	ClientID       string `json:"ClientId"`
	SecretHash     string
	Username       string
	Password       string
	UserAttributes []attribute
}

func (h *Handler) signUp(ctx context.Context, in signUpInput) (any, error) {
	if err := h.checkHash(in.ClientID, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	u, sent, err := h.pool.SignUp(ctx, userpool.SignUpInput{
		ClientID: in.ClientID, Username: in.Username, Password: in.Password, Attributes: attributeMap(in.UserAttributes)})
	if err != nil {
		return nil, err
	}
	session, err := h.pool.SignUpSession(ctx, in.ClientID, u)
	return struct {
		CodeDeliveryDetails *delivery `json:",omitempty"`
		Session             string    `json:",omitempty"`
		UserConfirmed       bool
		UserSub             string
	}{deliveryOf(sent), session, u.Status == userpool.Confirmed, u.Sub}, err
}

// codeInput is the input of the operations about a code for a user who is not signed in.
type codeInput struct {
	ClientID         string `json:"ClientId"`
	SecretHash       string
	Username         string
	ConfirmationCode string
	Password         string
	Session          string // of SignUp
}

func (h *Handler) confirmSignUp(ctx context.Context, in codeInput) (any, error) {
	if err := h.checkHash(in.ClientID, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	var out struct {
		Session string `json:",omitempty"`
	}
	err := h.pool.ConfirmSignUp(ctx, in.ClientID, in.Username, in.ConfirmationCode)
	if err == nil {
		out.Session, err = h.pool.ConfirmedSession(ctx, in.ClientID, in.Username, in.Session)
	}
	return out, err
}

func (h *Handler) resendConfirmationCode(ctx context.Context, in codeInput) (any, error) {
	if err := h.checkHash(in.ClientID, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	return sentTo(h.pool.ResendConfirmationCode(ctx, in.ClientID, in.Username))
}

func (h *Handler) forgotPassword(ctx context.Context, in codeInput) (any, error) {
	if err := h.checkHash(in.ClientID, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	return sentTo(h.pool.ForgotPassword(ctx, in.ClientID, in.Username))
}

func (h *Handler) confirmForgotPassword(ctx context.Context, in codeInput) (any, error) {
	if err := h.checkHash(in.ClientID, in.Username, in.SecretHash); err != nil {
		return nil, err
	}
	return empty{}, h.pool.ConfirmForgotPassword(ctx, in.ClientID, in.Username, in.ConfirmationCode, in.Password)
}

func sentTo(d *userpool.Delivery, err error) (any, error) {
	return struct{ CodeDeliveryDetails *delivery }{deliveryOf(d)}, err
}

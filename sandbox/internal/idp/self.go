package idp

import (
	"context"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// selfInput is the input of the operations of a signed-in user.
type selfInput struct {
	AccessToken        string
	UserAttributes     []attribute
	UserAttributeNames []string
	AttributeName      string
	Code               string
	PreviousPassword   string
	ProposedPassword   string
}

// self returns the user whose access token the input has.
func (h *Handler) self(ctx context.Context, in selfInput) (*userpool.User, error) {
	at, err := h.pool.VerifyAccessToken(ctx, in.AccessToken, userpool.AdminScope)
	if err != nil {
		return nil, err
	}
	return at.User, nil
}

func (h *Handler) getUser(ctx context.Context, in selfInput) (any, error) {
	u, err := h.self(ctx, in)
	if err != nil {
		return nil, err
	}
	return struct {
		Username       string
		UserAttributes []attribute
	}{u.Username, attributesOf(u)}, nil
}

func (h *Handler) updateUserAttributes(ctx context.Context, in selfInput) (any, error) {
	u, err := h.self(ctx, in)
	if err != nil {
		return nil, err
	}
	sent, err := h.pool.UpdateAttributes(ctx, u.Sub, attributeMap(in.UserAttributes))
	list := []*delivery{}
	for _, d := range sent {
		list = append(list, deliveryOf(&d))
	}
	return struct{ CodeDeliveryDetailsList []*delivery }{list}, err
}

func (h *Handler) deleteUserAttributes(ctx context.Context, in selfInput) (any, error) {
	u, err := h.self(ctx, in)
	if err != nil {
		return nil, err
	}
	return empty{}, h.pool.DeleteAttributes(ctx, u.Sub, in.UserAttributeNames)
}

func (h *Handler) getUserAttributeVerificationCode(ctx context.Context, in selfInput) (any, error) {
	u, err := h.self(ctx, in)
	if err != nil {
		return nil, err
	}
	sent, err := h.pool.SendAttributeCode(ctx, u.Sub, in.AttributeName)
	return sentTo(&sent, err)
}

func (h *Handler) verifyUserAttribute(ctx context.Context, in selfInput) (any, error) {
	u, err := h.self(ctx, in)
	if err != nil {
		return nil, err
	}
	return empty{}, h.pool.VerifyAttribute(ctx, u.Sub, in.AttributeName, in.Code)
}

func (h *Handler) changePassword(ctx context.Context, in selfInput) (any, error) {
	u, err := h.self(ctx, in)
	if err != nil {
		return nil, err
	}
	return empty{}, h.pool.ChangePassword(ctx, u.Sub, in.PreviousPassword, in.ProposedPassword)
}

func (h *Handler) globalSignOut(ctx context.Context, in selfInput) (any, error) {
	u, err := h.self(ctx, in)
	if err != nil {
		return nil, err
	}
	return empty{}, h.pool.GlobalSignOut(ctx, u.Sub)
}

func (h *Handler) deleteUser(ctx context.Context, in selfInput) (any, error) {
	u, err := h.self(ctx, in)
	if err != nil {
		return nil, err
	}
	return empty{}, h.pool.DeleteUser(ctx, u.Sub)
}

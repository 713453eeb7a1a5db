package idp

import (
	"context"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
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

// ofSelf returns an operation of signed-in users. It
// calls f with the user of the access token in the input.
func (h *Handler) ofSelf(f func(context.Context, *userpool.User, selfInput) (any, error)) awsjson.Operation {
	return awsjson.Op(func(ctx context.Context, in selfInput) (any, error) {
		at, err := h.pool.VerifyAccessToken(ctx, in.AccessToken, userpool.AdminScope)
		if err != nil {
			return nil, err
		}
		return f(ctx, at.User, in)
	})
}

// bySelf is ofSelf for operations with an empty answer.
func (h *Handler) bySelf(f func(context.Context, *userpool.User, selfInput) error) awsjson.Operation {
	return h.ofSelf(func(ctx context.Context, u *userpool.User, in selfInput) (any, error) { return empty{}, f(ctx, u, in) })
}

// self returns the operations of signed-in users.
func (h *Handler) self() map[string]awsjson.Operation {
	p := h.pool
	return map[string]awsjson.Operation{
		"GetUser":              h.ofSelf(getUser),
		"UpdateUserAttributes": h.ofSelf(h.updateUserAttributes),
		"GetUserAttributeVerificationCode": h.ofSelf(func(ctx context.Context, u *userpool.User, in selfInput) (any, error) {
			sent, err := p.SendAttributeCode(ctx, u.Sub, in.AttributeName)
			return sentTo(&sent, err)
		}),
		"VerifyUserAttribute": h.bySelf(func(ctx context.Context, u *userpool.User, in selfInput) error {
			return p.VerifyAttribute(ctx, u.Sub, in.AttributeName, in.Code)
		}),
		"DeleteUserAttributes": h.bySelf(func(ctx context.Context, u *userpool.User, in selfInput) error {
			return p.DeleteAttributes(ctx, u.Sub, in.UserAttributeNames)
		}),
		"ChangePassword": h.bySelf(func(ctx context.Context, u *userpool.User, in selfInput) error {
			return p.ChangePassword(ctx, u.Sub, in.PreviousPassword, in.ProposedPassword)
		}),
		"GlobalSignOut": h.bySelf(func(ctx context.Context, u *userpool.User, _ selfInput) error {
			return p.GlobalSignOut(ctx, u.Sub)
		}),
		"DeleteUser": h.bySelf(func(ctx context.Context, u *userpool.User, _ selfInput) error {
			return p.DeleteUser(ctx, u.Sub)
		}),
	}
}

func getUser(_ context.Context, u *userpool.User, _ selfInput) (any, error) {
	return struct {
		Username       string
		UserAttributes []attribute
	}{u.Username, attributesOf(u)}, nil
}

func (h *Handler) updateUserAttributes(ctx context.Context, u *userpool.User, in selfInput) (any, error) {
	sent, err := h.pool.UpdateAttributes(ctx, u.Sub, attributeMap(in.UserAttributes))
	list := []*delivery{}
	for _, d := range sent {
		list = append(list, deliveryOf(&d))
	}
	return struct{ CodeDeliveryDetailsList []*delivery }{list}, err
}

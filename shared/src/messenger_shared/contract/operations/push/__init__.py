"""Operations on push: on `devices`, on `decisions` whether to push, and on the operator's `keys`."""

"""The file formats of pictures, as far as removing metadata needs them. No pixel is decoded here.

`cleaning` chooses by the media type: `jpeg_segments`, `chunks` (PNG and WebP), `gif_blocks` or `avif_boxes`.
`parts` has what they share.
"""

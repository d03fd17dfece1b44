"""Users (`user`) with devices (`device`, `connection`, `wire`). They chat through a gateway
(`gateway_client`), upload files (`uploads`) and repeat requests until their results are certain.
"""

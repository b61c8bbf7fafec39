/** aggvpn: joins several internet links into one. */

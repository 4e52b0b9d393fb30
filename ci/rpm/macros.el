# Stand in for EL's kernel-rpm-macros, for the kernel %%the_kernel.
%kernel_module_package_buildreqs kernel-devel kernel-rpm-macros
%kernel_module_package(n:f:p:) \
%global flavors_to_build default \
%global kernel_source() /lib/modules/%{the_kernel}/build \
%package -n kmod-%{-n*} \
Summary: The module %{-n*} \
%{expand:%(cat %{-p*})} \
%description -n kmod-%{-n*} \
The module %{-n*}. \
%files -n kmod-%{-n*} \
%{expand:%(sed -e 's/%verrel/%{the_kernel}/' -e 's/%dotvariant//' %{-f*})}
